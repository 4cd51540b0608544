package peers

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// targetHeader names the server that a request is meant for: a port may have gone to another one.
const targetHeader = "Ksqlgo-Node"

// links are the connections to one server. Beats have their own, so that they never queue behind rows.
type links struct {
	beats, calls *http.Transport
}

func newLinks(dial func(context.Context, string, string) (net.Conn, error), security *tls.Config) *links {
	names := &resolver{lookupHost: net.DefaultResolver.LookupHost}
	transport := func(connections int) *http.Transport {
		return &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return names.dial(ctx, dial, network, address)
			},
			TLSClientConfig: security, TLSHandshakeTimeout: 5 * time.Second, DisableCompression: true,
			MaxIdleConnsPerHost: connections, IdleConnTimeout: time.Minute, ReadBufferSize: 16 << 10,
		}
	}
	return &links{beats: transport(1), calls: transport(64)}
}

func (l *links) closeIdle() {
	l.beats.CloseIdleConnections()
	l.calls.CloseIdleConnections()
}

// post sends a request to a server. The status of the response is 200.
func (l *links) post(ctx context.Context, t *http.Transport, s *security, n Node, path string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.scheme()+"://"+n.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set(targetHeader, n.ID)
	request.Header.Set("Content-Type", "application/octet-stream")
	// What is asked for changes nothing, so the transport may ask again when a kept connection turns out to be closed.
	request.Header["Idempotency-Key"] = []string{}
	response, err := t.RoundTrip(request)
	if err != nil {
		return nil, plain(err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	text, _ := readAll(response.Body, 4<<10)
	return nil, fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(text)))
}

// plain is an error without the words around it that say nothing to people.
func plain(err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("it does not answer: %w", context.DeadlineExceeded)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("no connection: %w", op.Err)
	}
	return err
}

// Post sends a request to an endpoint that another server has from [Peers.Handle], over a connection that is kept. A status
// other than 200 is an error. The caller closes the body; one that was read to its end leaves the connection for the next
// call. ctx bounds the reading of the body, too.
func (p *Peers) Post(ctx context.Context, id, path string, body []byte) (*http.Response, error) {
	p.mu.Lock()
	pe, ok := p.peers[id]
	if !ok {
		p.mu.Unlock()
		return nil, errUnknown(id)
	}
	node, links := pe.node, pe.links
	p.mu.Unlock()
	if node.Endpoint == "" {
		return nil, errors.New("it has no internal listener")
	}
	return links.post(ctx, links.calls, p.security, node, path, body)
}

// Down is closed when a server stops to answer; at once if it does not now.
func (p *Peers) Down(id string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pe, ok := p.peers[id]; ok {
		return pe.down
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}
