package client

import (
	"context"
	"net/url"
	"strings"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// Info returns the server's version and ids.
func (c *Client) Info(ctx context.Context) (api.ServerInfo, error) {
	var out api.ServerInfoResponse
	err := c.get(ctx, "/info", &out)
	return out.KsqlServerInfo, err
}

// Healthcheck returns the server's health; an unhealthy server is no error.
func (c *Client) Healthcheck(ctx context.Context) (api.HealthCheckResponse, error) {
	var out api.HealthCheckResponse
	err := c.get(ctx, "/healthcheck", &out)
	return out, err
}

// ClusterStatus returns what the server knows of its peers, by "host:port".
func (c *Client) ClusterStatus(ctx context.Context) (map[string]api.HostStatus, error) {
	var out api.ClusterStatusResponse
	err := c.get(ctx, "/clusterStatus", &out)
	return out.ClusterStatus, err
}

// Statuses returns the state of every command, by command id.
func (c *Client) Statuses(ctx context.Context) (map[string]api.Status, error) {
	var out api.CommandStatuses
	err := c.get(ctx, "/status", &out)
	return out.CommandStatuses, err
}

// Status returns the state of one command, e.g. "stream/`ORDERS`/create".
// An unknown command is an *Error with api.CodeNotFound.
func (c *Client) Status(ctx context.Context, commandID string) (api.CommandStatus, error) {
	// What stands between the type and the action is a name, in which anything can be.
	kind, rest, _ := strings.Cut(commandID, "/")
	entity, action := rest, ""
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		entity, action = rest[:i], rest[i+1:]
	}
	var out api.CommandStatus
	err := c.get(ctx, "/status/"+url.PathEscape(kind)+"/"+url.PathEscape(entity)+"/"+url.PathEscape(action), &out)
	return out, err
}

// IsValidProperty asks whether a client may override the property. A property
// that may not be is an *Error with api.CodeBadRequest.
func (c *Client) IsValidProperty(ctx context.Context, name string) error {
	var out bool
	return c.get(ctx, "/is_valid_property/"+url.PathEscape(name), &out)
}

// CloseQuery ends a push query of the server.
func (c *Client) CloseQuery(ctx context.Context, queryID string) error {
	resp, err := c.post(ctx, "/close-query", api.MediaJSON, api.CloseQueryArgs{QueryID: queryID}, nil)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// TerminateCluster ends the service for good, on all its servers: all queries,
// what they leave, and those of the topics that the service has created which
// match one of the names or regular expressions. Warnings of the entity tell
// what matches and stays.
func (c *Client) TerminateCluster(ctx context.Context, topics []string) (api.Entities, error) {
	resp, err := c.post(ctx, "/ksql/terminate", api.MediaJSON, api.ClusterTerminateRequest{DeleteTopicList: topics}, nil)
	if err != nil {
		return nil, err
	}
	var entities api.Entities
	return entities, c.decode(resp, &entities)
}
