package engine

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// assertPause is the pause between two looks at what ASSERT waits for; assertTimeout is how long it waits unless the statement or
// a property says otherwise.
const (
	assertPause   = 20 * time.Millisecond
	assertTimeout = time.Second
)

// checkAssert refuses assertions that say nothing or what cannot be.
func checkAssert(n ast.Statement) error {
	switch n := n.(type) {
	case *ast.AssertTopic:
		_, err := wantedOfTopic(n)
		return err
	case *ast.AssertSchema:
		if n.Subject == nil && n.ID == nil {
			return diag.Errorf(diag.InvalidValue, n.Span(), "ASSERT SCHEMA statements much include a subject name or an id").
				WithHint("For example: ASSERT SCHEMA SUBJECT 'orders-value';")
		}
	default:
	}
	return nil
}

// assertTopic waits until a topic is there, with the settings that the statement names, or is not.
func (e *Engine) assertTopic(ctx context.Context, s *session, st statement, n *ast.AssertTopic) (api.Entity, error) {
	wanted, err := wantedOfTopic(n)
	if err != nil {
		return nil, err
	}
	name := n.Topic.Name
	look := func(ctx context.Context) error {
		infos, err := e.cfg.Kafka.Admin().Topics(ctx, name)
		if err != nil {
			return fmt.Errorf("Cannot check topic existence: %w", err)
		}
		info, there := infos[name]
		switch {
		case n.NotExists && there:
			return fmt.Errorf("Topic %s exists", name)
		case n.NotExists:
			return nil
		case !there:
			return fmt.Errorf("Topic %s does not exist", name)
		}
		for _, w := range wanted {
			got := int64(info.Partitions)
			if w.config == "replicas" {
				got = int64(info.ReplicationFactor)
			}
			if got != w.value {
				return fmt.Errorf("Mismatched configuration for topic %s: For config %s, expected %d got %d", name, w.config, w.value, got)
			}
		}
		return nil
	}
	if err := e.asserted(ctx, s, n.Timeout, "ksql.assert.topic.default.timeout.ms", look); err != nil {
		return nil, err
	}
	return &api.AssertTopicEntity{Base: base(st.Text), TopicName: name, Exists: !n.NotExists}, nil
}

// wantedConfig is a setting that a topic shall have.
type wantedConfig struct {
	config string
	value  int64
}

func wantedOfTopic(n *ast.AssertTopic) ([]wantedConfig, error) {
	var out []wantedConfig
	for _, p := range n.With {
		config := strings.ToLower(p.Name)
		if config != "partitions" && config != "replicas" {
			return nil, diag.Errorf(diag.UnknownProperty, p.Span(), "Cannot assert unknown topic property: %s", strings.ToUpper(p.Name)).
				WithHint("The properties are PARTITIONS and REPLICAS.")
		}
		value, err := wholeNumber(p.Value)
		if err != nil {
			return nil, diag.Errorf(diag.InvalidValue, p.Span(), "%s must be a whole number", strings.ToUpper(p.Name))
		}
		out = append(out, wantedConfig{config, value})
	}
	return out, nil
}

func wholeNumber(e ast.Expr) (int64, error) {
	switch v := e.(type) {
	case *ast.IntLiteral:
		return int64(v.Value), nil
	case *ast.BigintLiteral:
		return v.Value, nil
	case *ast.StringLiteral:
		return strconv.ParseInt(v.Value, 10, 64)
	default:
		return 0, strconv.ErrSyntax
	}
}

// assertSchema waits until a schema is in the registry, or is not.
func (e *Engine) assertSchema(ctx context.Context, s *session, st statement, n *ast.AssertSchema) (api.Entity, error) {
	if err := checkAssert(n); err != nil {
		return nil, err
	}
	entity := &api.AssertSchemaEntity{Base: base(st.Text), Exists: !n.NotExists}
	what := "Schema with"
	if n.Subject != nil {
		entity.Subject = &n.Subject.Name
		what += " subject name " + n.Subject.Name
	}
	if n.ID != nil {
		id := int(*n.ID)
		entity.ID = &id
		what += " id " + strconv.Itoa(id)
	}
	look := func(context.Context) error {
		there, err := e.hasSchema(n)
		switch {
		case err != nil:
			return fmt.Errorf("Cannot check schema existence: %w", err)
		case n.NotExists && there:
			return fmt.Errorf("%s exists", what)
		case !n.NotExists && !there:
			return fmt.Errorf("%s does not exist", what)
		}
		return nil
	}
	if err := e.asserted(ctx, s, n.Timeout, "ksql.assert.schema.default.timeout.ms", look); err != nil {
		return nil, err
	}
	return entity, nil
}

// hasSchema says whether the registry has the subject, the number, or with both the number among the versions of the subject.
func (e *Engine) hasSchema(n *ast.AssertSchema) (bool, error) {
	if n.Subject == nil {
		_, err := e.cfg.Schemas.ByID(int(*n.ID))
		return found(err)
	}
	latest, err := e.cfg.Schemas.Latest(n.Subject.Name)
	if there, err := found(err); !there || n.ID == nil {
		return there, err
	}
	for version := latest.Version; version > 0; version-- {
		r, err := e.cfg.Schemas.Version(n.Subject.Name, version)
		there, err := found(err)
		if err != nil || there && r.ID == int(*n.ID) {
			return there, err
		}
	}
	return false, nil
}

func found(err error) (bool, error) {
	if schemas.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// asserted looks again and again until the time is up; the error is that of the last look.
func (e *Engine) asserted(ctx context.Context, s *session, given *ast.Interval, property string, look func(context.Context) error) error {
	timeout := assertTimeout
	if ms, err := strconv.ParseInt(s.properties()[property], 10, 64); err == nil && ms >= 0 {
		timeout = time.Duration(ms) * time.Millisecond
	}
	if given != nil {
		ms, ok := given.Millis()
		if !ok {
			return diag.Errorf(diag.InvalidValue, given.Span(), "The timeout is too long")
		}
		timeout = time.Duration(ms) * time.Millisecond
	}
	deadline := e.cfg.Now().Add(timeout)
	tick := time.NewTicker(assertPause)
	defer tick.Stop()
	for {
		err := look(ctx)
		if err == nil {
			return nil
		}
		if !e.cfg.Now().Before(deadline) {
			return api.NewError(api.CodeAssertionFailed, "%v", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
