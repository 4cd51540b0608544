package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// pull answers a pull query, if as many more may be answered.
func (e *Engine) pull(ctx context.Context, s *session, st statement, q *ast.Query, r Request) (*Answer, error) {
	if s.properties()["ksql.pull.queries.enable"] == "false" {
		return nil, errors.New("Pull queries are disabled. See https://cnfl.io/queries for more info.\n" +
			"Add EMIT CHANGES if you intended to issue a push query.\nPlease set ksql.pull.queries.enable=true to enable this feature.")
	}
	o, err := pullOptions(s.properties(), r.RequestProperties)
	if err != nil {
		return nil, err
	}
	if o.LocalOnly {
		return e.pulled(ctx, s, st, q, o)
	}
	if err := e.pulls.begin(e.cfg.Now()); err != nil {
		return nil, err
	}
	answer, err := e.pulled(ctx, s, st, q, o)
	if err != nil {
		e.pulls.end()
		return nil, err
	}
	answer.Rows = &countedRows{Rows: answer.Rows, end: sync.OnceFunc(e.pulls.end)}
	return answer, nil
}

// pulled gives the rows of a pull query: over a table from the state of its query, over a stream by reading it.
func (e *Engine) pulled(ctx context.Context, s *session, st statement, q *ast.Query, o exec.PullOptions) (*Answer, error) {
	p, err := planner.PullQuery(e.env(ctx, s, e.Catalog(), nil), q.Select)
	if err != nil {
		return nil, err
	}
	if p.Stream != nil {
		token, err := e.streamPositions(ctx, s, p.Stream)
		if err != nil {
			return nil, err
		}
		answer, err := e.subscribe(ctx, s, st, q.Select, p.Stream, true)
		if err == nil && token != "" {
			answer.Token = func() (string, error) { return token, nil }
		}
		return answer, err
	}
	positions, err := e.pullPositions(ctx, s, p.Table, &o)
	if err != nil {
		return nil, err
	}
	rows, err := e.cfg.Runtime.Pull(ctx, p.Table, o)
	if err != nil {
		return nil, positions.failure(err, o.AtLeast)
	}
	return &Answer{Token: positions.token(rows.Positions), QueryID: fmt.Sprintf("query_%d", e.cfg.Now().UnixMilli()), Columns: p.Table.Columns, KeyPositions: p.Table.KeyPositions,
		Pull: true, Rows: &pulledRows{rows: rows}}, nil
}

// pullOptions says who may answer a pull query. Another server, or a client that knows where its rows are, wants it to be
// answered by this one alone, and perhaps from some partitions.
func pullOptions(props, request map[string]string) (exec.PullOptions, error) {
	o := exec.PullOptions{StandbyLag: -1}
	if properties.Bool(props, "ksql.query.pull.enable.standby.reads") {
		o.StandbyLag = properties.Int(props, "ksql.query.pull.max.allowed.offset.lag")
	}
	for _, name := range []string{api.RequestPullSkipForwarding, api.RequestInternal} {
		o.LocalOnly = o.LocalOnly || strings.EqualFold(request[name], "true") || strings.EqualFold(props[name], "true")
	}
	list := request[api.RequestPullPartitions]
	if list == "" {
		return o, nil
	}
	o.Partitions = []int32{}
	for _, text := range strings.Split(list, ",") {
		p, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
		if err != nil || p < 0 {
			return o, api.NewError(api.CodeBadRequest, "%s: '%s' is no partition; it takes numbers separated by commas", api.RequestPullPartitions, text)
		}
		o.Partitions = append(o.Partitions, int32(p))
	}
	return o, nil
}

// pulledRows gives the rows of a pull query over a table.
type pulledRows struct{ rows exec.PulledRows }

// Next implements Rows.
func (r *pulledRows) Next(ctx context.Context) (Row, error) {
	values, err := r.rows.Next(ctx)
	if err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
		err = api.NewError(api.CodeServerError, "%v", err)
	}
	return Row{Values: values}, err
}

// TryNext implements Rows.
func (r *pulledRows) TryNext() (Row, bool) {
	values, ok := r.rows.TryNext()
	return Row{Values: values}, ok
}

// LimitReached implements Rows.
func (r *pulledRows) LimitReached() bool { return false }

// Close implements Rows.
func (r *pulledRows) Close() { r.rows.Close() }
