package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// Cluster asks for all servers of the service and what their tasks are doing.
func (c *Client) Cluster(ctx context.Context) (*api.Cluster, error) {
	var out api.Cluster
	if err := c.get(ctx, "/cluster", &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// maxProgressLine bounds a line of progress.
const maxProgressLine = 1 << 20

// Drain lets the server give all its tasks to others. progress is called whenever there is some; the last time it says that it
// is done. When ctx ends first the server goes on draining, and the error is ctx's; [Client.EndDrain] ends that.
func (c *Client) Drain(ctx context.Context, progress func(api.DrainProgress)) error {
	resp, err := c.send(ctx, c.http, http.MethodPost, "/cluster/drain", api.MediaDelimited, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxProgressLine)
	for lines.Scan() {
		var p api.DrainProgress
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return fmt.Errorf("%s did not answer as a ksqlgo server: %w", c.URL(), err)
		}
		if p.Error != "" {
			return errors.New(p.Error)
		}
		progress(p)
		if p.Done {
			return nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = lines.Err()
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return &UnreachableError{URL: c.URL(), Err: err}
}

// EndDrain lets the server have tasks again.
func (c *Client) EndDrain(ctx context.Context) error {
	resp, err := c.send(ctx, c.http, http.MethodDelete, "/cluster/drain", api.MediaJSON, nil)
	if err != nil {
		return err
	}
	var out api.DrainState
	return c.decode(resp, &out)
}
