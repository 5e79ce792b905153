package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

func podSpec() string {
	return `{"containers":[{"name":"c","image":"pause","resources":{"requests":{"cpu":"10m","memory":"16Mi"}}}]}`
}

// bind creates pods and waits until each has a node; pods a second from the first request to the last binding.
func bind(s *server, args []string) any {
	flags := flag.NewFlagSet("bind", flag.ExitOnError)
	n := flags.Int("n", 1000, "pods")
	workers := flags.Int("c", 16, "workers that create them")
	flags.Parse(args)
	label := fmt.Sprintf("b%d", time.Now().UnixNano()%1e9)
	c := must(s.connect())
	defer c.close()
	lines := must(c.watch(pods + "?labelSelector=bench%3D" + label))
	finished := make(chan time.Time, 1)
	go func() {
		bound := map[string]bool{}
		for len(bound) < *n {
			line, err := lines.ReadSlice('\n')
			if err != nil { // a server may end a watch; the next begins with what there is
				c = must(s.connect())
				lines = must(c.watch(pods + "?labelSelector=bench%3D" + label))
				continue
			}
			var event struct {
				Object struct {
					Metadata struct{ Name string }
					Spec     struct{ NodeName string }
				}
			}
			must(0, json.Unmarshal(line, &event))
			if event.Object.Spec.NodeName != "" {
				bound[event.Object.Metadata.Name] = true
			}
		}
		finished <- time.Now()
	}()
	began := time.Now()
	s.each(*n, *workers, func(c *connection, i int) {
		body := fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s-%05d","labels":{"bench":%q}},"spec":%s}`,
			label, i, label, podSpec())
		must(c.json("POST", pods, body, 201))
	})
	created := time.Since(began).Seconds()
	select {
	case end := <-finished:
		took := end.Sub(began).Seconds()
		return map[string]float64{"perSecond": float64(*n) / took, "seconds": took, "created": created}
	case <-time.After(180 * time.Second):
		must(0, fmt.Errorf("not all pods were bound within three minutes"))
		return nil
	}
}

// probe sends requests at a steady pace, whatever became of those before, until its standard input ends; how long
// they took.
func probe(s *server, args []string) any {
	flags := flag.NewFlagSet("probe", flag.ExitOnError)
	pace := flags.Duration("pace", 10*time.Millisecond, "between requests")
	flags.Parse(args)
	s.fill(kept, "kept", 4)
	stop := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(stop)
	}()
	idle := make(chan *connection, maxConnections)
	for range maxConnections / 10 {
		idle <- must(s.connect())
	}
	fmt.Println("begun")
	var all []time.Duration
	var lock sync.Mutex
	var done sync.WaitGroup
	send := func(i int) {
		began := time.Now()
		var c *connection
		select {
		case c = <-idle:
		default:
			c = must(s.connect())
		}
		verb := []string{"get", "update"}[i%2]
		must(0, verbs[verb](0)(c, i%kept, i))
		took := time.Since(began)
		select {
		case idle <- c:
		default:
			c.close()
		}
		lock.Lock()
		all = append(all, took)
		lock.Unlock()
	}
	ticker := time.NewTicker(*pace)
	for i := 0; ; i++ {
		select {
		case <-stop:
			done.Wait()
			slices.Sort(all)
			return rate{Count: len(all), P50: quantile(all, .5), P99: quantile(all, .99)}
		case <-ticker.C:
			done.Go(func() { send(i) })
		}
	}
}

// Connections that the probe keeps.
const maxConnections = 200
