// Package client is a schema registry that another process keeps: Confluent's, or one with its REST API.
package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// Config says where the registry is and how to get in.
type Config struct {
	// URLs are its addresses, all of the same registry; at least one. What they say of a user and a password counts unless User
	// is set.
	URLs []string
	// User and Password are shown to the registry when User is not empty; Token is in place of them.
	User, Password, Token string
	// TLS, unless nil, gives the settings of a new TLS connection to a host. It is called by several goroutines at once.
	TLS func(host string) (*tls.Config, error)
	// Timeout bounds a request to one address; 0 means 10 s.
	Timeout time.Duration
	// Logger receives what is worth saying; nil discards it.
	Logger *slog.Logger
}

const (
	defaultTimeout = 10 * time.Second
	// maxAnswerBytes bounds an answer.
	maxAnswerBytes = 10 << 20
	// maxKept bounds how many schemas are kept.
	maxKept = 2000
	// registeredFor is how long a schema counts as registered without asking: tasks that start together ask once. It is short, as
	// others may delete the subject.
	registeredFor = 10 * time.Second
)

// Client is a registry elsewhere. Its methods are safe for concurrent use.
type Client struct {
	cfg  Config
	urls []*address
	// first is the address that answered last.
	first atomic.Int64

	schemas    *kept[int, schemas.Schema]
	registered *kept[string, registration]
}

var _ schemas.Registry = (*Client)(nil)

// address is one of the registry's.
type address struct {
	client *sr.Client
	// shown is the address without user and password.
	shown string
}

type registration struct {
	id int
	at time.Time
}

// New makes a client. Nothing is asked yet; the error is one of the configuration, without secrets.
func New(cfg Config) (*Client, error) {
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if len(cfg.URLs) == 0 {
		return nil, errors.New("no address of a schema registry is given")
	}
	c := &Client{cfg: cfg, schemas: newKept[int, schemas.Schema](maxKept), registered: newKept[string, registration](maxKept)}
	h := newHTTPClient(cfg)
	for _, text := range cfg.URLs {
		a, err := newAddress(cfg, h, text)
		if err != nil {
			return nil, err
		}
		c.urls = append(c.urls, a)
	}
	return c, nil
}

func newAddress(cfg Config, h *http.Client, text string) (*address, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		// The text may have a password in it.
		return nil, errors.New("an address of the schema registry is no URL such as http://localhost:8081")
	}
	user, password := cfg.User, cfg.Password
	if user == "" && u.User != nil {
		user = u.User.Username()
		password, _ = u.User.Password()
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	options := []sr.ClientOpt{sr.URLs(u.String()), sr.HTTPClient(h), sr.UserAgent("ksqlgo")}
	switch {
	case cfg.Token != "":
		options = append(options, sr.BearerToken(cfg.Token))
	case user != "":
		options = append(options, sr.BasicAuth(user, password))
	}
	client, err := sr.NewClient(options...)
	return &address{client, u.String()}, err
}

// Shown are the addresses of a registry without users and passwords, as they may be shown.
func Shown(urls []string) string {
	out := make([]string, len(urls))
	for i, text := range urls {
		out[i] = "[hidden]"
		if u, err := url.Parse(strings.TrimSpace(text)); err == nil {
			u.User = nil
			out[i] = u.String()
		}
	}
	return strings.Join(out, ",")
}

// versionBody is a version of a subject, or a schema, in answers.
type versionBody struct {
	Subject    string          `json:"subject"`
	Version    int             `json:"version"`
	ID         int             `json:"id"`
	SchemaType string          `json:"schemaType,omitempty"`
	References []referenceBody `json:"references,omitempty"`
	Schema     string          `json:"schema"`
}

type referenceBody struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

func (b versionBody) schema() schemas.Schema {
	s := schemas.Schema{Kind: schemas.Kind(b.SchemaType), Text: b.Schema}
	if s.Kind == "" {
		s.Kind = schemas.Avro
	}
	for _, r := range b.References {
		s.References = append(s.References, schemas.Reference(r))
	}
	return s
}

// ByID implements [schemas.Registry].
func (c *Client) ByID(id int) (schemas.Schema, error) {
	if s, ok := c.schemas.get(id); ok {
		return s, nil
	}
	var body versionBody
	if err := c.do(http.MethodGet, "/schemas/ids/"+strconv.Itoa(id), nil, &body); err != nil {
		return schemas.Schema{}, explain(err, fmt.Sprintf("Schema %d", id))
	}
	s := body.schema()
	c.schemas.put(id, s)
	return s, nil
}

// Latest implements [schemas.Registry].
func (c *Client) Latest(subject string) (schemas.Registered, error) {
	return c.version(subject, "latest", fmt.Sprintf("Subject '%s'", subject))
}

// Version implements [schemas.Registry].
func (c *Client) Version(subject string, version int) (schemas.Registered, error) {
	// Schemas may refer to a version that is deleted.
	return c.version(subject, strconv.Itoa(version), fmt.Sprintf("Version %d of subject '%s'", version, subject), sr.ShowDeleted)
}

func (c *Client) version(subject, version, what string, params ...sr.Param) (schemas.Registered, error) {
	var body versionBody
	if err := c.do(http.MethodGet, "/subjects/"+url.PathEscape(subject)+"/versions/"+version, nil, &body, params...); err != nil {
		return schemas.Registered{}, explain(err, what)
	}
	if body.ID > 0 {
		c.schemas.put(body.ID, body.schema())
	}
	return schemas.Registered{Schema: body.schema(), Subject: subject, Version: body.Version, ID: body.ID}, nil
}

// Register implements [schemas.Registry].
func (c *Client) Register(subject string, s schemas.Schema) (int, error) {
	key := fmt.Sprintf("%q %q %q %v", subject, s.Kind, s.Text, s.References)
	if r, ok := c.registered.get(key); ok && time.Since(r.at) < registeredFor {
		return r.id, nil
	}
	request := struct {
		Schema     string          `json:"schema"`
		SchemaType string          `json:"schemaType,omitempty"`
		References []referenceBody `json:"references,omitempty"`
	}{Schema: s.Text}
	if s.Kind != schemas.Avro {
		request.SchemaType = string(s.Kind)
	}
	for _, r := range s.References {
		request.References = append(request.References, referenceBody(r))
	}
	var body versionBody
	if err := c.do(http.MethodPost, "/subjects/"+url.PathEscape(subject)+"/versions", request, &body); err != nil {
		return 0, explain(err, fmt.Sprintf("Subject '%s'", subject))
	}
	if body.ID == 0 {
		return 0, &schemas.UnavailableError{Cause: errors.New("the answer to a registration has no id")}
	}
	c.registered.put(key, registration{body.ID, time.Now()})
	return body.ID, nil
}

// Delete implements [schemas.Registry].
func (c *Client) Delete(subject string) error {
	c.registered.clear()
	err := c.do(http.MethodDelete, "/subjects/"+url.PathEscape(subject), nil, nil)
	if err = explain(err, fmt.Sprintf("Subject '%s'", subject)); schemas.IsNotFound(err) {
		return nil
	}
	return err
}

// do asks one address after the other, beginning with the one that answered last, until one answers that is not out of order.
func (c *Client) do(method, path string, body, into any, params ...sr.Param) error {
	first := int(c.first.Load())
	var failed []error
	for i := range c.urls {
		n := (first + i) % len(c.urls)
		ctx := context.Background()
		if len(params) > 0 {
			ctx = sr.WithParams(ctx, params...)
		}
		err := c.urls[n].client.Do(ctx, method, path, body, into)
		if !isOutage(err) {
			c.first.Store(int64(n))
			return err
		}
		err = fmt.Errorf("%s: %w", c.urls[n].shown, plain(err))
		c.cfg.Logger.Debug("schema registry: an address does not answer", "error", err)
		failed = append(failed, err)
	}
	return &schemas.UnavailableError{Cause: errors.Join(failed...)}
}
