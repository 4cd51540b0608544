package client

import (
	"net/http"
	"sync"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// Consistency lets the requests of a session read what the session has written, and never less than it has read: it holds
// the session's consistency token, which goes out with every request that names it and comes back raised. Its methods are
// safe for concurrent use; but of requests that overlap only the last token to come back is kept, so a session should send
// one after the other. The zero value has seen nothing.
type Consistency struct {
	mu    sync.Mutex
	token string
}

// Token is the token as it is now, "" at first.
func (c *Consistency) Token() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token
}

// Set makes token the one to go on from; "" forgets what was seen.
func (c *Consistency) Set(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token
}

// send puts the token into a request; an empty one asks for a token in the answer. A nil Consistency does nothing.
func (c *Consistency) send(h http.Header) {
	if c != nil {
		h.Set(api.HeaderConsistencyToken, c.Token())
	}
}

// raise takes over a token that came back.
func (c *Consistency) raise(token string) {
	if c != nil && token != "" {
		c.Set(token)
	}
}
