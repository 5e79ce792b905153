// The load client of the benchmarks: the same for every API server that is measured. Standard library only.
//
//	client -url https://127.0.0.1:6443 -ca ca.crt -token TOKEN COMMAND [flags]
//
// It prints one JSON object; a command that is told when to stop, before that a line when it has begun. A worker has one
// connection and sends its next request when it has the last answer.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

// Where objects are made, and the paths of those in it.
var namespace, configMaps, pods string

var commands = map[string]func(*server, []string) any{
	"load":  load,
	"fill":  fill,
	"list":  list,
	"watch": watch,
	"bind":  bind,
	"probe": probe,
}

func main() {
	base := flag.String("url", "", "the API server")
	ca := flag.String("ca", "", "file with its CA certificate")
	token := flag.String("token", "", "bearer token")
	flag.StringVar(&namespace, "namespace", "bench", "the namespace to work in")
	flag.Parse()
	configMaps = "/api/v1/namespaces/" + namespace + "/configmaps"
	pods = "/api/v1/namespaces/" + namespace + "/pods"
	command, known := commands[flag.Arg(0)]
	if !known {
		fmt.Fprintln(os.Stderr, "client: unknown command", flag.Arg(0))
		os.Exit(2)
	}
	s := must(newServer(*base, *ca, *token))
	s.ensureNamespace()
	json.NewEncoder(os.Stdout).Encode(command(s, flag.Args()[1:]))
}

func (s *server) ensureNamespace() {
	c := must(s.connect())
	defer c.close()
	body := []byte(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"` + namespace + `"}}`)
	status, answer, err := c.call("POST", "/api/v1/namespaces", "application/json", body)
	if err == nil && status != 201 && status != 409 {
		err = fmt.Errorf("namespace: HTTP %d: %.300s", status, answer)
	}
	must(0, err)
}
