package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// consistency is what a request says about positions.
type consistency struct {
	// want is what the answer is to contain.
	want position.Vector
	// tells says that the answer carries a token: one was asked for, or what it is to contain was. Without it there is nothing
	// else here.
	tells bool
	limit time.Duration
}

// consistency reads the positions that a request asks for: its tokens, and that of its properties.
func (s *session) consistency() (consistency, error) {
	props := s.properties()
	c := consistency{want: position.Vector{}}
	tokens := s.tokens
	if t, ok := props[api.PropertyConsistencyToken]; ok {
		tokens = append(slices.Clip(tokens), t)
	}
	if c.tells = len(tokens) > 0 || properties.Bool(props, api.PropertyConsistencyTokens); !c.tells {
		return c, nil
	}
	c.limit = time.Duration(properties.Int(props, api.PropertyConsistencyTimeout)) * time.Millisecond
	for _, text := range tokens {
		v, err := position.Parse(text)
		if err != nil {
			return c, api.NewError(api.CodeBadRequest, "Invalid consistency token: %v.", err)
		}
		c.want.Raise(v)
	}
	return c, nil
}

// maxUnaskedToken bounds the token of inserted rows when nobody has asked for tokens, in bytes: some clients refuse answers
// with long headers.
const maxUnaskedToken = 8 << 10

// writtenToken is the token of the rows that the request has inserted, "" if there are none.
func (s *session) writtenToken() string {
	if len(s.written) == 0 {
		return ""
	}
	c, err := s.consistency()
	if err != nil {
		return "" // The statement that inserts has refused it.
	}
	c.want.Raise(s.written)
	token := c.want.Token()
	if len(token) > maxUnaskedToken && !c.tells {
		return ""
	}
	return token
}

// graph is that of all persistent queries.
func (e *Engine) graph() *position.Graph {
	e.plansMu.Lock()
	plans := make([]*physical.Plan, 0, len(e.plans))
	for _, p := range e.plans {
		plans = append(plans, p)
	}
	e.plansMu.Unlock()
	slices.SortFunc(plans, func(a, b *physical.Plan) int { return strings.Compare(a.QueryID, b.QueryID) })
	return position.NewGraph(plans)
}

// checkTopics refuses positions that nothing could ever reach: those of topics and partitions that do not exist. Topics that
// exist and do not lead to what is asked are no matter.
func (e *Engine) checkTopics(ctx context.Context, g *position.Graph, want position.Vector) error {
	declared := map[string]int32{}
	for _, src := range e.Catalog().Sources() {
		declared[src.Topic] = int32(src.Partitions)
	}
	var unknown []string
	for topic, partitions := range want {
		n, ok := g.Partitions(topic)
		if !ok {
			n, ok = declared[topic]
		}
		switch {
		case ok:
			for p := range partitions {
				if p >= n {
					return api.NewError(api.CodeBadRequest, "The consistency token names partition %d of topic %s, which has %d.", p, topic, n)
				}
			}
		case g.Knows(topic) || strings.HasPrefix(topic, exec.GroupName(e.cfg.ServiceID, "")):
			// Internal topics of queries that are gone may be in tokens of before that.
		default:
			unknown = append(unknown, topic)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	infos, err := e.cfg.Kafka.Admin().Topics(ctx, unknown...)
	if err != nil {
		return err
	}
	slices.Sort(unknown)
	for _, topic := range unknown {
		if _, ok := infos[topic]; !ok {
			return api.NewError(api.CodeBadRequest, "The consistency token names the topic %s, which does not exist.", topic)
		}
	}
	return nil
}

// await waits until what a request wants has reached the topics, and returns the positions of the topics that contain it and
// what is left of the time.
func (e *Engine) await(ctx context.Context, g *position.Graph, c consistency, topics []string) (at position.Vector, left time.Duration, err error) {
	if err := e.checkTopics(ctx, g, c.want); err != nil {
		return nil, 0, err
	}
	deadline := time.Now().Add(c.limit)
	wait, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	at, err = g.Await(wait, e.offsets, topics, c.want)
	var behind *position.Behind
	switch {
	case errors.As(err, &behind):
		return nil, 0, stale(c, behind)
	case ctx.Err() != nil:
		return nil, 0, ctx.Err()
	case err != nil:
		return nil, 0, fmt.Errorf("The consistency token cannot be waited for: %w", err)
	}
	return at, max(time.Until(deadline), time.Millisecond), nil
}

// stale is the error of an answer that came to contain too little in time.
func stale(c consistency, behind *position.Behind) error {
	asked := c.want.String()
	if len(asked) > 200 {
		asked = asked[:200] + "…"
	}
	err := api.NewError(api.CodeStale, "The answer would be stale: it was to contain %s, and after %d ms %v.\n"+
		"Ask again later, raise %s, or ask without a token.", asked, c.limit.Milliseconds(), behind, api.PropertyConsistencyTimeout)
	err.ConsistencyToken = behind.Have.Token()
	return err
}

// pullPositions is what is done about positions for one pull query over a table.
type pullPositions struct {
	e     *Engine
	c     consistency
	g     *position.Graph
	query string
	stage int
}

// pullPositions waits until a pull query can be answered with what its request wants, which it lets o ask of the owners. It
// is nil when the request says nothing of positions.
func (e *Engine) pullPositions(ctx context.Context, s *session, plan *physical.Pull, o *exec.PullOptions) (*pullPositions, error) {
	c, err := s.consistency()
	if err != nil {
		return nil, err
	}
	if !c.tells {
		return nil, nil
	}
	pp := &pullPositions{e: e, c: c, g: e.graph(), query: plan.QueryID, stage: plan.Materialization.Stage}
	if !c.want.IsEmpty() {
		if o.AtLeast, o.Wait, err = e.await(ctx, pp.g, c, pp.g.Inputs(pp.query, pp.stage)); err != nil {
			return nil, err
		}
	}
	look, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	if err := e.trails.Note(look, pp.g, pp.query, pp.stage); err != nil {
		// The answer is as good without it; its token says less.
		e.cfg.Logger.Warn("how far a query is could not be looked up for a consistency token", "query", pp.query, "error", err)
	}
	return pp, nil
}

// failure makes the error of an answer that was not given by the owners.
func (pp *pullPositions) failure(err error, atLeast position.Vector) error {
	var late *exec.StaleError
	if pp == nil || !errors.As(err, &late) {
		return err
	}
	return stale(pp.c, &position.Behind{Query: pp.query, Want: atLeast, Have: late.Have})
}

// token is what the rows contain: what was wanted, the positions of the inputs of the stage that keeps them, and those of the
// query's sources. Nil when no token is asked for.
func (pp *pullPositions) token(positions func() (position.Vector, error)) func() (string, error) {
	if pp == nil {
		return nil
	}
	return func() (string, error) {
		at, err := positions()
		if err != nil {
			return "", err
		}
		v := pp.c.want.Clone()
		v.Raise(pp.g.Contained(pp.query, pp.stage, at))
		v.Raise(pp.e.trails.Sources(pp.g, pp.query, pp.stage, at))
		return v.Token(), nil
	}
}

// streamPositions waits until the topics of a pull query over a stream can be read as far as its request wants. The token of
// the answer is "" when none is asked for.
func (e *Engine) streamPositions(ctx context.Context, s *session, plan *physical.Plan) (token string, err error) {
	c, err := s.consistency()
	if err != nil || !c.tells {
		return "", err
	}
	var topics []string
	for _, st := range plan.Stages {
		for _, in := range st.Inputs {
			if !in.Repartition {
				topics = append(topics, in.Topic)
			}
		}
	}
	at, left, err := e.await(ctx, e.graph(), c, topics)
	if err != nil {
		return "", err
	}
	have, err := e.offsets.awaitReadable(ctx, topics, at, left)
	var behind *position.Behind
	if errors.As(err, &behind) {
		err = stale(c, behind)
	}
	if err != nil {
		return "", err
	}
	c.want.Raise(have)
	return c.want.Token(), nil
}
