package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var padding = strings.Repeat("x", 1024)

// configMap is an object of 1 KB of data.
func configMap(name, label string, revision int) []byte {
	return fmt.Appendf(nil, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q,"namespace":%q,"labels":{"bench":%q}},"data":{"rev":"%d","d":%q}}`,
		name, namespace, label, revision, padding)
}

type rate struct {
	PerSecond float64 `json:"perSecond"`
	Count     int     `json:"count"`
	P50       float64 `json:"p50"`
	P99       float64 `json:"p99"`
	Errors    int     `json:"errors"`
	Error     string  `json:"error,omitempty"`
}

// quantile of sorted durations, in ms.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[int(q*float64(len(sorted)-1))]) / 1e6
}

type request func(c *connection, worker, i int) error

var verbs = map[string]func(run int64) request{
	"create": func(run int64) request {
		return func(c *connection, worker, i int) error {
			_, err := c.json("POST", configMaps, configMap(fmt.Sprintf("c%d-%d-%d", run, worker, i), "create", 0), 201)
			return err
		}
	},
	"get": func(int64) request {
		return func(c *connection, worker, i int) error {
			_, err := c.json("GET", fmt.Sprintf("%s/kept-%05d", configMaps, (worker*31+i)%kept), nil, 200)
			return err
		}
	},
	// Unconditional, each worker its own object: the shape of a lease's or a status' heartbeat.
	"update": func(run int64) request {
		return func(c *connection, worker, i int) error {
			name := fmt.Sprintf("kept-%05d", worker)
			_, err := c.json("PUT", configMaps+"/"+name, configMap(name, "kept", int(run)+i), 200)
			return err
		}
	},
}

// Objects that get and update work on; at least as many as there are workers.
const kept = 200

// load runs one verb with a number of workers for a while.
func load(s *server, args []string) any {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	verb := flags.String("verb", "create", "create, get or update")
	workers := flags.Int("c", 1, "workers, each with a connection")
	duration := flags.Duration("d", 3*time.Second, "how long")
	warm := flags.Int("warm", 20, "uncounted requests of each worker before")
	flags.Parse(args)
	if *verb != "create" {
		s.fill(kept, "kept", 16)
	}
	do := verbs[*verb](time.Now().UnixNano() % 1e9)
	var all []time.Duration
	var result rate
	var lock sync.Mutex
	var ready, done sync.WaitGroup
	var began time.Time
	start := make(chan struct{})
	ready.Add(*workers)
	done.Add(*workers)
	for worker := range *workers {
		go func() {
			defer done.Done()
			c := must(s.connect())
			defer c.close()
			for i := range *warm {
				must(0, do(c, worker, i))
			}
			ready.Done()
			<-start
			var mine []time.Duration
			failed, message := 0, ""
			for i := *warm; time.Since(began) < *duration; i++ {
				sent := time.Now()
				if err := do(c, worker, i); err != nil {
					failed, message = failed+1, err.Error()
					continue
				}
				mine = append(mine, time.Since(sent))
			}
			lock.Lock()
			all = append(all, mine...)
			result.Errors += failed
			if message != "" {
				result.Error = message
			}
			lock.Unlock()
		}()
	}
	ready.Wait()
	began = time.Now()
	close(start)
	done.Wait()
	took := time.Since(began)
	slices.Sort(all)
	result.PerSecond = float64(len(all)) / took.Seconds()
	result.Count, result.P50, result.P99 = len(all), quantile(all, .5), quantile(all, .99)
	return result
}

// each calls do with 0 … n-1, by a number of workers with a connection each.
func (s *server) each(n, workers int, do func(c *connection, i int)) {
	var next atomic.Int64
	var done sync.WaitGroup
	for range min(workers, n) {
		done.Go(func() {
			c := must(s.connect())
			defer c.close()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(c, i)
			}
		})
	}
	done.Wait()
}

// fill makes n ConfigMaps; those that are there already are left.
func (s *server) fill(n int, label string, workers int) {
	s.each(n, workers, func(c *connection, i int) {
		name := fmt.Sprintf("%s-%05d", label, i)
		status, answer, err := c.call("POST", configMaps, "application/json", configMap(name, label, 0))
		if err == nil && status != 201 && status != 409 {
			err = fmt.Errorf("fill: HTTP %d: %.300s", status, answer)
		}
		must(0, err)
	})
}

func fill(s *server, args []string) any {
	flags := flag.NewFlagSet("fill", flag.ExitOnError)
	n := flags.Int("n", 30000, "objects")
	label := flags.String("label", "fill", "their label and the start of their names")
	flags.Parse(args)
	began := time.Now()
	s.fill(*n, *label, 16)
	return map[string]float64{"seconds": time.Since(began).Seconds()}
}

// list reads all objects of a namespace again and again; the middle time in ms.
func list(s *server, args []string) any {
	flags := flag.NewFlagSet("list", flag.ExitOnError)
	n := flags.Int("n", 5000, "objects")
	reps := flags.Int("reps", 10, "lists")
	flags.Parse(args)
	s.fill(*n, "list", 16)
	c := must(s.connect())
	defer c.close()
	var times []time.Duration
	size := 0
	for range *reps + 1 {
		began := time.Now()
		body := must(c.json("GET", configMaps, nil, 200))
		times = append(times, time.Since(began))
		size = len(body)
	}
	if size < *n*1024 {
		must(0, fmt.Errorf("a list of %d bytes is too short for %d objects", size, *n))
	}
	times = times[1:] // the first warms up
	slices.Sort(times)
	return map[string]float64{"ms": quantile(times, .5), "min": quantile(times, 0), "bytes": float64(size)}
}
