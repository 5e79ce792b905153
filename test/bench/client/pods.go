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

const pods = "/api/v1/namespaces/" + namespace + "/pods"

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
			line := must(lines.ReadSlice('\n'))
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

// probe sends requests at a steady pace until its standard input ends; how long they took.
func probe(s *server, args []string) any {
	flags := flag.NewFlagSet("probe", flag.ExitOnError)
	workers := flags.Int("c", 4, "workers, each with a connection")
	pace := flags.Duration("pace", 40*time.Millisecond, "between a worker's requests")
	flags.Parse(args)
	s.fill(kept, "kept", 4)
	stop := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(stop)
	}()
	var all []time.Duration
	var lock sync.Mutex
	var done sync.WaitGroup
	for worker := range *workers {
		done.Go(func() {
			c := must(s.connect())
			defer c.close()
			var mine []time.Duration
			next := time.Now()
			for i := 0; ; i++ {
				next = next.Add(*pace)
				select {
				case <-stop:
					lock.Lock()
					all = append(all, mine...)
					lock.Unlock()
					return
				case <-time.After(time.Until(next)):
				}
				// Counted from when it was due, so that a stall counts for every request that it held up.
				verb := []string{"get", "update"}[i%2]
				must(0, verbs[verb](0)(c, worker, i))
				mine = append(mine, time.Since(next))
			}
		})
	}
	done.Wait()
	slices.Sort(all)
	return rate{Count: len(all), P50: quantile(all, .5), P99: quantile(all, .99)}
}
