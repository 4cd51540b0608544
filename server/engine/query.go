package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/token"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// pushQuery is a running push query.
type pushQuery struct {
	id  string
	sql string
	sub *exec.Subscription
}

// IsPrint says whether a text is a PRINT statement.
func (e *Engine) IsPrint(sql string) bool {
	for _, t := range token.Tokenize(firstWords(sql)) {
		if !t.IsComment() {
			return t.Keyword == "PRINT"
		}
	}
	return false
}

// firstWords cuts a text to what is enough to see its first word.
func firstWords(sql string) string { return sql[:min(len(sql), 4096)] }

// Query runs a SELECT: a pull query, or a push query if it has EMIT. Errors are api.ErrorBody values.
func (e *Engine) Query(ctx context.Context, r Request) (*Answer, error) {
	s, st, err := e.oneStatement(ctx, r)
	if err != nil {
		return nil, err
	}
	q, ok := st.Statement.(*ast.Query)
	if !ok {
		return nil, api.NewStatementError(st.Text, fmt.Sprintf("Statement type `%s' not supported for this resource", kindOf(st.Statement)))
	}
	var answer *Answer
	if q.Select.Emit != ast.EmitNone {
		answer, err = e.push(ctx, s, st, q)
	} else {
		answer, err = e.pull(ctx, s, st, q, r)
	}
	if err != nil {
		return nil, statementError(st, err, nil)
	}
	return answer, nil
}

// oneStatement parses a request that holds exactly one statement.
func (e *Engine) oneStatement(ctx context.Context, r Request) (*session, statement, error) {
	if err := e.waitForCommand(ctx, r.CommandSequenceNumber); err != nil {
		return nil, statement{}, err
	}
	s, err := newSession(e, r)
	if err != nil {
		return nil, statement{}, err
	}
	pieces := token.Split(r.SQL)
	if len(pieces) != 1 {
		return nil, statement{}, api.NewStatementError(r.SQL, fmt.Sprintf("Expected exactly one KSQL statement; found %d instead", len(pieces)))
	}
	st, err := s.parse(pieces[0], r.SQL)
	if err != nil {
		return nil, statement{}, statementError(st, err, nil)
	}
	return s, st, nil
}

func (e *Engine) push(ctx context.Context, s *session, st statement, q *ast.Query) (*Answer, error) {
	if err := e.checkPushLimit(st.Text); err != nil {
		return nil, err
	}
	p, err := planner.PushQuery(e.env(ctx, s, e.Catalog(), nil), q.Select)
	if err != nil {
		return nil, err
	}
	return e.subscribe(ctx, s, st, q.Select, p.Plan, false)
}

// subscribe runs a transient plan and registers it under its id. A bounded one, a pull query over a stream, ends at the
// ends of its topics; to clients it looks like a push query all the same.
func (e *Engine) subscribe(ctx context.Context, s *session, st statement, sel *ast.Select, plan *physical.Plan, bounded bool) (*Answer, error) {
	named := *plan
	named.QueryID = e.transientID(s, sel, plan)
	answer := &Answer{QueryID: named.QueryID, Columns: plan.Output.Columns, KeyPositions: plan.Output.KeyPositions}
	if sel.Limit != nil && sel.Limit.Count == 0 {
		answer.Rows = noRows{}
		return answer, nil
	}
	sub, err := e.cfg.Runtime.Subscribe(ctx, exec.SubscribeSpec{Plan: &named, Properties: s.properties(), Bounded: bounded})
	if err != nil {
		return nil, err
	}
	p := &pushQuery{id: named.QueryID, sql: st.Text, sub: sub}
	if !bounded {
		e.pushMu.Lock()
		e.pushes[p.id] = p
		e.pushMu.Unlock()
		if err := e.Refusal(); err != nil {
			// The service was terminated meanwhile; those who end its push queries may not have seen this one.
			e.CloseQuery(p.id)
			return nil, err
		}
	}
	answer.Rows = &subscribedRows{e: e, push: p}
	return answer, nil
}

// transientID makes the id of a push query. As in ksqlDB the name tells which could share the work of the query that
// writes their source (ksql.query.push.v2.enabled): those that start at the end and only filter and project what one
// persistent query writes.
func (e *Engine) transientID(s *session, sel *ast.Select, plan *physical.Plan) string {
	prefix, source := "transient", ""
	if len(plan.Sources) > 0 {
		source = plan.Sources[0]
	}
	props := s.properties()
	if props["ksql.query.push.v2.enabled"] == "true" && props["auto.offset.reset"] == "latest" && len(plan.Sources) == 1 &&
		sel.Emit == ast.EmitChanges && sel.Window == nil && sel.GroupBy == nil && sel.PartitionBy == nil && sel.Having == nil &&
		len(e.Catalog().WritersOf(source)) == 1 {
		prefix = "SCALABLE_PUSH_QUERY"
	}
	return fmt.Sprintf("%s_%s_%d", prefix, source, e.cfg.Random()>>1)
}

// CloseQuery ends a push query; false when there is none of that id.
func (e *Engine) CloseQuery(id string) bool {
	e.pushMu.Lock()
	p, ok := e.pushes[id]
	delete(e.pushes, id)
	e.pushMu.Unlock()
	if ok {
		p.sub.Close()
	}
	return ok
}

// pushNamed finds the push query that a statement names: identifiers are in upper case unless quoted, ids are not.
func (e *Engine) pushNamed(name string) (id string, ok bool) {
	for _, p := range e.pushQueries() {
		if strings.EqualFold(p.id, name) {
			return p.id, true
		}
	}
	return "", false
}

// terminatePush ends a push query by TERMINATE; nil when the name is not that of one.
func (e *Engine) terminatePush(name string, st statement) api.Entity {
	id, ok := e.pushNamed(name)
	if !ok || !e.CloseQuery(id) {
		return nil
	}
	return &api.TerminateQueryEntity{Base: base(st.Text), QueryID: id, WasTerminated: true}
}

// pushQueries lists the push queries that run.
func (e *Engine) pushQueries() []*pushQuery {
	e.pushMu.Lock()
	defer e.pushMu.Unlock()
	out := make([]*pushQuery, 0, len(e.pushes))
	for _, p := range e.pushes {
		out = append(out, p)
	}
	return out
}

// subscribedRows gives the rows of a push query.
type subscribedRows struct {
	e    *Engine
	push *pushQuery
}

// Next implements Rows.
func (r *subscribedRows) Next(ctx context.Context) (Row, error) {
	row, err := r.push.sub.Next(ctx)
	if err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
		err = api.NewError(api.CodeServerError, "%v", err)
	}
	return Row{Values: row.Values, Tombstone: row.Tombstone}, err
}

// TryNext implements Rows.
func (r *subscribedRows) TryNext() (Row, bool) {
	row, ok := r.push.sub.TryNext()
	return Row{Values: row.Values, Tombstone: row.Tombstone}, ok
}

// LimitReached implements Rows.
func (r *subscribedRows) LimitReached() bool { return r.push.sub.LimitReached() }

// Close implements Rows.
func (r *subscribedRows) Close() {
	r.e.pushMu.Lock()
	delete(r.e.pushes, r.push.id)
	r.e.pushMu.Unlock()
	r.push.sub.Close()
}

// noRows is the answer to LIMIT 0.
type noRows struct{}

// Next implements Rows.
func (noRows) Next(context.Context) (Row, error) { return Row{}, io.EOF }

// TryNext implements Rows.
func (noRows) TryNext() (Row, bool) { return Row{}, false }

// LimitReached implements Rows.
func (noRows) LimitReached() bool { return true }

// Close implements Rows.
func (noRows) Close() {}
