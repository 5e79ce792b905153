package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// watch opens many watches of one label, each on its own connection, then makes objects; events a second delivered to all.
func watch(s *server, args []string) any {
	flags := flag.NewFlagSet("watch", flag.ExitOnError)
	watchers := flags.Int("watchers", 100, "open watches")
	events := flags.Int("events", 1000, "objects made")
	makers := flags.Int("makers", 16, "workers that make them")
	flags.Parse(args)
	label := fmt.Sprintf("w%d", time.Now().UnixNano()%1e9)
	left := int64(*watchers * *events)
	finished := make(chan time.Time, 1)
	var opened sync.WaitGroup
	for range *watchers {
		opened.Add(1)
		go func() {
			c := must(s.connect())
			defer c.close()
			lines := must(c.watch(configMaps + "?labelSelector=bench%3D" + label))
			opened.Done()
			seen := make([]bool, *events)
			mark := []byte(`"name":"` + label + "-")
			for {
				line, err := lines.ReadSlice('\n')
				if err != nil {
					return
				}
				at := bytes.Index(line, mark)
				if at < 0 {
					continue
				}
				start := at + len(mark)
				i := must(strconv.Atoi(string(line[start : start+5])))
				if seen[i] {
					continue
				}
				seen[i] = true
				if atomic.AddInt64(&left, -1) == 0 {
					finished <- time.Now()
				}
			}
		}()
	}
	opened.Wait()
	time.Sleep(500 * time.Millisecond)
	began := time.Now()
	s.fill(*events, label, *makers)
	select {
	case end := <-finished:
		took := end.Sub(began).Seconds()
		return map[string]float64{"perSecond": float64(*watchers**events) / took, "seconds": took}
	case <-time.After(60 * time.Second):
		must(0, fmt.Errorf("%d events were not delivered within a minute", atomic.LoadInt64(&left)))
		return nil
	}
}

// watch opens a watch; its lines come from the reader.
func (c *connection) watch(path string) (*bufio.Reader, error) {
	status, _, chunked, err := c.send("GET", path+"&watch=true", "", nil)
	if err == nil && (status != 200 || !chunked) {
		err = fmt.Errorf("watch: HTTP %d", status)
	}
	return bufio.NewReaderSize(&chunkReader{reader: c.reader}, 256<<10), err
}
