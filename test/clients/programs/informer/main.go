// Informers of every make follow the ConfigMaps of a namespace while writers change them, until standard input ends.
// Then the writers stop, the caches get a time to catch up, and one line of JSON on standard output tells what went wrong:
// nothing, where every cache holds what the server holds and no acknowledged write is missing.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	namespace    = corev1.NamespaceDefault
	selector     = "written=here"
	catchUp      = 5 * time.Minute
	startsEvery  = 10 * time.Second
	protobufType = "application/vnd.kubernetes.protobuf"
)

type report struct {
	// Acknowledged ones, and those whose answer did not come.
	Writes, Failures int64
	// What informers were told, and how often they began a watch.
	Events, Watches int64
	Informers       int
	// How many answers had which media type, by verb.
	Answers map[string]int64
	Objects int
	Faults  []string
}

func main() {
	name := flag.String("name", "w", "prefix of the objects' names, for several programs at once")
	flag.Parse()
	if err := run(*name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name string) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	// A connection that is refused would make informers wait longer and longer, up to a minute, and see next to nothing.
	config.Dial = patientDial
	config.QPS = -1
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	faults := &faults{}
	answers := &answers{}
	informers, err := startAll(ctx, config, faults, answers)
	if err != nil {
		return err
	}
	writing, stopWriting := context.WithCancel(ctx)
	defer stopWriting()
	writers := startWriters(writing, kubernetes.NewForConfigOrDie(config), name, faults)

	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	for running := true; running; {
		select {
		case <-ended:
			running = false
		case <-time.After(startsEvery):
			// One whose first list or initial events may be cut off.
			late, err := startAll(ctx, config, faults, answers)
			if err != nil {
				return err
			}
			informers = append(informers, late...)
		}
	}
	stopWriting()
	writers.wait()
	return tell(ctx, config, informers, writers, faults, answers)
}

func tell(ctx context.Context, config *rest.Config, all []*informer, w *writers, f *faults, a *answers) error {
	client := kubernetes.NewForConfigOrDie(config)
	var wanted map[string]string
	deadline := time.Now().Add(catchUp)
	for behind := all; ; time.Sleep(100 * time.Millisecond) {
		list, err := client.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err == nil {
			wanted = map[string]string{}
			for i := range list.Items {
				wanted[list.Items[i].Name] = identity(&list.Items[i])
			}
			behind = slices.DeleteFunc(slices.Clone(all), func(i *informer) bool { return maps.Equal(i.state(), wanted) })
		}
		if err == nil && len(behind) == 0 {
			break
		}
		if time.Now().After(deadline) {
			for _, one := range behind {
				f.add("%s differs from the server: %s", one.name, difference(one.state(), wanted))
			}
			break
		}
	}
	out := report{
		Writes: w.acknowledged.Load(), Failures: w.failures.Load(), Informers: len(all), Objects: len(wanted),
		Answers: a.all(), Faults: f.all(),
	}
	for _, one := range all {
		out.Events += one.events.Load()
	}
	out.Watches = a.watches.Load()
	return json.NewEncoder(os.Stdout).Encode(out)
}

func identity(object metav1.Object) string {
	return fmt.Sprintf("%s@%s", object.GetUID(), object.GetResourceVersion())
}

func difference(told, wanted map[string]string) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if told[name] != wanted[name] {
			text += fmt.Sprintf(" %s is %q and not %q;", name, told[name], wanted[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(told)) {
		if _, found := wanted[name]; !found {
			text += fmt.Sprintf(" %s does not exist;", name)
		}
	}
	return text
}

var dialer = net.Dialer{}

// patientDial waits for a server that is being started.
func patientDial(ctx context.Context, network, address string) (net.Conn, error) {
	end := time.Now().Add(2 * time.Minute)
	for {
		connection, err := dialer.DialContext(ctx, network, address)
		if err == nil || time.Now().After(end) || ctx.Err() != nil {
			return connection, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

type counter = atomic.Int64
