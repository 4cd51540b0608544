package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// DefaultURL is where ksqlDB listens when nothing else is said.
const DefaultURL = "http://localhost:8088"

// maxErrorBody is how much of a failed answer is read, in bytes.
const maxErrorBody = 1 << 20

// Config says which server to talk to and how.
type Config struct {
	// URL is the server's address, "http://host:port"; a missing scheme means
	// http, an empty URL means DefaultURL.
	URL string
	// User and Password are sent by basic authentication when User is set.
	User, Password string
	// Token is sent as a bearer token when User is empty.
	Token string
	// HTTP2 uses HTTP/2 with prior knowledge on cleartext connections for all
	// requests. InsertStream always does.
	HTTP2 bool
	// DialTimeout bounds the making of a connection; default 10 s.
	DialTimeout time.Duration
}

// Client talks to one server.
type Client struct {
	base   *url.URL
	config Config
	http   *http.Client // every request but inserts
	h2     *http.Client // HTTP/2 only
}

// New returns a client. It does not connect yet.
func New(config Config) (*Client, error) {
	base, err := ParseURL(config.URL)
	if err != nil {
		return nil, err
	}
	if config.DialTimeout <= 0 {
		config.DialTimeout = 10 * time.Second
	}
	c := &Client{base: base, config: config}
	c.h2 = &http.Client{Transport: transport(config.DialTimeout, true)}
	c.http = c.h2
	if !config.HTTP2 {
		c.http = &http.Client{Transport: transport(config.DialTimeout, false)}
	}
	for _, h := range []*http.Client{c.http, c.h2} {
		h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return c, nil
}

// ParseURL reads a server address as consoles accept it: scheme and port may
// be missing.
func ParseURL(text string) (*url.URL, error) {
	if text == "" {
		text = DefaultURL
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	base, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("invalid server address %q: %w", text, err)
	}
	if base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("invalid server address %q: the scheme must be http or https", text)
	}
	if base.Host == "" {
		return nil, fmt.Errorf("invalid server address %q: no host", text)
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	base.RawQuery, base.Fragment = "", ""
	return base, nil
}

func transport(dialTimeout time.Duration, http2 bool) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	if http2 {
		protocols.SetUnencryptedHTTP2(true)
	} else {
		protocols.SetHTTP1(true)
	}
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		Protocols:           protocols,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true, // rows must arrive one by one
	}
}

// URL is the address of the server.
func (c *Client) URL() string { return c.base.String() }

// Close drops idle connections. Streams that are open stay open.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.h2.CloseIdleConnections()
}

// send sends a request and returns the answer when its status is 200;
// otherwise the error the server sent. The caller closes the body.
func (c *Client) send(ctx context.Context, h *http.Client, method, path, accept string, body io.Reader, consistency *Consistency) (*http.Response, error) {
	target := *c.base
	unescaped, err := url.PathUnescape(path)
	if err != nil {
		return nil, err
	}
	target.Path, target.RawPath = c.base.Path+unescaped, c.base.EscapedPath()+path
	req, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	consistency.send(req.Header)
	if body != nil {
		req.Header.Set("Content-Type", api.MediaJSON)
	}
	switch {
	case c.config.User != "":
		req.SetBasicAuth(c.config.User, c.config.Password)
	case c.config.Token != "":
		req.Header.Set("Authorization", "Bearer "+c.config.Token)
	}
	resp, err := h.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var detail *url.Error
		if errors.As(err, &detail) {
			err = detail.Err // the address is in URL
		}
		return nil, &UnreachableError{URL: c.URL(), Err: err}
	}
	told := resp.Header.Get(api.HeaderConsistencyToken)
	if resp.StatusCode == http.StatusOK {
		consistency.raise(told)
		return resp, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", c.URL(), err)
	}
	failed := newError(resp.StatusCode, text)
	if failed.Code != api.CodeStale {
		// Statements before the one that failed may have written.
		consistency.raise(told)
	}
	return nil, failed
}

// post sends a JSON body.
func (c *Client) post(ctx context.Context, path, accept string, body any, consistency *Consistency) (*http.Response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	return c.send(ctx, c.http, http.MethodPost, path, accept, bytes.NewReader(text), consistency)
}

// get fetches a JSON document into out.
func (c *Client) get(ctx context.Context, path string, out any) error {
	resp, err := c.send(ctx, c.http, http.MethodGet, path, api.MediaJSON, nil, nil)
	if err != nil {
		return err
	}
	return c.decode(resp, out)
}

func (c *Client) decode(resp *http.Response, out any) error {
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.URL(), err)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s did not answer as a ksqlDB server: %w", c.URL(), err)
	}
	return nil
}
