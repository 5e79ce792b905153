package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
)

// server is where requests go and who sends them.
type server struct {
	host  string
	path  string
	token string
	tls   *tls.Config
}

func newServer(base, caFile, token string) (*server, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in " + caFile)
	}
	config := &tls.Config{RootCAs: pool, ServerName: u.Hostname(), NextProtos: []string{"http/1.1"}}
	return &server{host: u.Host, path: u.Path, token: token, tls: config}, nil
}

// connection is one kept-alive HTTP/1.1 connection, written by hand: net/http takes as much of a small machine as
// the servers that are measured.
type connection struct {
	server *server
	conn   net.Conn
	reader *bufio.Reader
	out    bytes.Buffer
	body   bytes.Buffer
}

func (s *server) connect() (*connection, error) {
	conn, err := tls.Dial("tcp", s.host, s.tls)
	if err != nil {
		return nil, err
	}
	return &connection{server: s, conn: conn, reader: bufio.NewReaderSize(conn, 64<<10)}, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
	return value
}

func (c *connection) close() { c.conn.Close() }

// send writes a request and reads the head of its answer.
func (c *connection) send(method, path, contentType string, body []byte) (status int, length int, chunked bool, err error) {
	c.out.Reset()
	fmt.Fprintf(&c.out, "%s %s%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept: application/json\r\nUser-Agent: bench/1\r\n",
		method, c.server.path, path, c.server.host, c.server.token)
	if body != nil {
		fmt.Fprintf(&c.out, "Content-Type: %s\r\nContent-Length: %d\r\n", contentType, len(body))
	}
	c.out.WriteString("\r\n")
	c.out.Write(body)
	if _, err = c.conn.Write(c.out.Bytes()); err != nil {
		return
	}
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return
	}
	if len(line) < 12 {
		return 0, 0, false, fmt.Errorf("no HTTP answer: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return
	}
	for {
		if line, err = c.reader.ReadSlice('\n'); err != nil {
			return
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			chunked = bytes.Contains(value, []byte("chunked"))
		}
		if err != nil {
			return
		}
	}
}

// call sends a request and reads the whole answer; the body is valid until the next call.
func (c *connection) call(method, path, contentType string, body []byte) (int, []byte, error) {
	status, length, chunked, err := c.send(method, path, contentType, body)
	if err != nil {
		return 0, nil, err
	}
	c.body.Reset()
	if chunked {
		_, err = c.body.ReadFrom(&chunkReader{reader: c.reader})
	} else {
		_, err = io.CopyN(&c.body, c.reader, int64(length))
	}
	return status, c.body.Bytes(), err
}

// json sends JSON and insists on a status.
func (c *connection) json(method, path string, body []byte, want int) ([]byte, error) {
	status, got, err := c.call(method, path, "application/json", body)
	if err == nil && status != want {
		err = fmt.Errorf("%s %s: HTTP %d: %.300s", method, path, status, got)
	}
	return got, err
}

// chunkReader gives the payload of a chunked body; io.EOF after the last chunk.
type chunkReader struct {
	reader *bufio.Reader
	left   int
}

func (r *chunkReader) Read(into []byte) (int, error) {
	if r.left == 0 {
		line, err := r.reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 64)
		if err != nil {
			return 0, err
		}
		if size == 0 {
			_, err := r.reader.ReadSlice('\n')
			if err == nil {
				err = io.EOF
			}
			return 0, err
		}
		r.left = int(size)
	}
	n, err := r.reader.Read(into[:min(r.left, len(into))])
	r.left -= n
	if r.left == 0 && err == nil {
		_, err = r.reader.Discard(2)
	}
	return n, err
}
