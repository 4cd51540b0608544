package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// statement is one parsed statement of a request.
type statement struct {
	grammar.Stmt
	// source is the text that positions count in.
	source string
}

// maxStatements bounds the statements of one request.
const maxStatements = 10_000

// Execute runs the statements of a /ksql request: all of them are validated in order against a copy of the catalog, then
// they are executed one after the other. The error is an api.ErrorBody; of a failing statement it holds the results of
// those before it.
func (e *Engine) Execute(ctx context.Context, r Request) (Result, error) {
	if err := e.waitForCommand(ctx, r.CommandSequenceNumber); err != nil {
		return Result{}, err
	}
	pieces := token.Split(r.SQL)
	if len(pieces) > maxStatements {
		return Result{}, api.NewError(api.CodeBadRequest, "The request holds %d statements; at most %d are taken at once.", len(pieces), maxStatements)
	}
	if err := e.validateAll(ctx, pieces, r); err != nil {
		return Result{}, err
	}
	s, err := newSession(e, r)
	if err != nil {
		return Result{}, err
	}
	var entities api.Entities
	for _, p := range pieces {
		st, err := s.parse(p, r.SQL)
		if err == nil {
			var entity api.Entity
			if entity, err = e.run(ctx, s, st); entity != nil {
				entities = append(entities, entity)
			}
		}
		if err != nil {
			return Result{Token: s.writtenToken()}, statementError(st, err, entities)
		}
	}
	return Result{Entities: entities, Token: s.writtenToken()}, nil
}

// validateAll checks every statement against a sandbox. A failure changes nothing.
func (e *Engine) validateAll(ctx context.Context, pieces []token.Piece, r Request) error {
	s, err := newSession(e, r)
	if err != nil {
		return err
	}
	box := &sandbox{
		catalog: e.Catalog(), created: map[string]kafka.TopicInfo{}, offset: e.log.Applied(),
		schemas: &plannedSchemas{e.cfg.Schemas, map[string]schemas.Schema{}},
	}
	for _, p := range pieces {
		st, err := s.parse(p, r.SQL)
		if err == nil {
			err = e.validate(ctx, s, st, box)
		}
		if err != nil {
			return statementError(st, err, nil)
		}
	}
	return nil
}

// sandbox is the world as it would be after the statements validated so far.
type sandbox struct {
	catalog *catalog.Snapshot
	created map[string]kafka.TopicInfo
	schemas *plannedSchemas
	// offset stands for where the next command would be written.
	offset int64
}

// validate checks one statement and lets the sandbox take its effect.
func (e *Engine) validate(ctx context.Context, s *session, st statement, box *sandbox) error {
	switch n := st.Statement.(type) {
	case *ast.Query, *ast.Print:
		refused := api.NewStatementError(st.Text, "The following statement types should be issued to the websocket endpoint '/query':\n"+
			"\t* PRINT\n\t* SELECT")
		refused.Code = api.CodeQueryEndpoint
		return refused
	case *ast.SetProperty, *ast.UnsetProperty, *ast.Define, *ast.Undefine:
		return s.apply(n)
	case *ast.InsertValues:
		if _, err := s.consistency(); err != nil {
			return err
		}
		_, err := e.planInsert(ctx, s, n, box.catalog, box.created)
		return err
	case *ast.Terminate:
		if n.Query != nil {
			if _, push := e.pushNamed(n.Query.Name); push {
				return nil
			}
		}
	default:
	}
	if !isCommand(st.Statement) {
		return e.checkShow(st.Statement, box.catalog)
	}
	env := e.env(ctx, s, box.catalog, box.created)
	env.Schemas = box.schemas
	p, err := e.planCommand(ctx, s, st, env, box.offset)
	if err != nil || p.warning != "" {
		return err
	}
	box.catalog = p.command.Apply(box.catalog)
	if p.command.Action == commandlog.StartQuery {
		if err := e.checkPersistentLimit(box.catalog, st.Text); err != nil {
			return err
		}
	}
	box.offset++
	box.schemas.plan(p.schemas)
	for _, t := range p.topics {
		box.created[t.Name] = kafka.TopicInfo{Name: t.Name, Partitions: t.Partitions, ReplicationFactor: max(t.ReplicationFactor, 1)}
	}
	return nil
}

// run executes one statement. A statement without a result gives nil.
func (e *Engine) run(ctx context.Context, s *session, st statement) (api.Entity, error) {
	switch n := st.Statement.(type) {
	case *ast.SetProperty, *ast.UnsetProperty, *ast.Define, *ast.Undefine:
		return nil, s.apply(n)
	case *ast.InsertValues:
		return e.insertValues(ctx, s, st, n)
	default:
		if isCommand(n) {
			return e.command(ctx, s, st)
		}
		return e.show(ctx, s, st)
	}
}

// isCommand says whether a statement goes through the command log.
func isCommand(n ast.Statement) bool {
	switch n.(type) {
	case *ast.CreateSource, *ast.AlterSource, *ast.CreateAsSelect, *ast.InsertSelect, *ast.DropSource, *ast.CreateType, *ast.DropType, *ast.Pause, *ast.Resume,
		*ast.Terminate:
		return true
	default:
		return false
	}
}

// command validates a statement at the head of the command log, writes it and waits until it has been applied here.
func (e *Engine) command(ctx context.Context, s *session, st statement) (api.Entity, error) {
	if t, ok := st.Statement.(*ast.Terminate); ok && t.Query != nil {
		if entity := e.terminatePush(t.Query.Name, st); entity != nil {
			return entity, nil
		}
	}
	e.ddl.Lock()
	defer e.ddl.Unlock()
	var planned *plannedCommand
	created := map[string]string{} // the ids of topics that were created for the statement, in this attempt or an earlier one
	id, offset, err := e.log.Append(ctx, func(snapshot *catalog.Snapshot, offset int64) (commandlog.ID, *commandlog.Command, error) {
		var err error
		if planned, err = e.planCommand(ctx, s, st, e.env(ctx, s, snapshot, nil), offset); err != nil {
			return commandlog.ID{}, nil, err
		}
		if planned.warning != "" {
			return commandlog.ID{}, nil, errNothingToDo
		}
		if planned.command.Action == commandlog.StartQuery {
			if err := e.checkPersistentLimit(planned.command.Apply(snapshot), st.Text); err != nil {
				return commandlog.ID{}, nil, err
			}
		}
		for _, t := range planned.topics {
			info, err := e.cfg.Kafka.Admin().EnsureTopic(ctx, t)
			if err != nil {
				return commandlog.ID{}, nil, err
			}
			if info.Created {
				created[t.Name] = info.ID.String()
			}
		}
		if err := e.registerSchemas(planned.schemas); err != nil {
			return commandlog.ID{}, nil, err
		}
		if err := e.fixStart(ctx, planned); err != nil {
			return commandlog.ID{}, nil, err
		}
		if src := planned.command.Source; src != nil {
			planned.command.TopicID = created[src.Topic]
		}
		return planned.id, planned.command, nil
	})
	switch {
	case errors.Is(err, errNothingToDo):
		return &api.WarningEntity{Base: base(st.Text), Message: planned.warning}, nil
	case err != nil:
		return nil, logError(st.Text, err)
	}
	entity := e.outcome(ctx, id, planned.command, offset)
	// Not by every server when it comes to the command: by then the topic may have been made anew.
	e.dropSubjects(planned.dropped)
	return entity, nil
}

// outcome waits a while until a command that was written has been applied here, and is the answer for it.
func (e *Engine) outcome(ctx context.Context, id commandlog.ID, c *commandlog.Command, offset int64) *api.CommandStatusEntity {
	entity := &api.CommandStatusEntity{Base: base(c.Statement), CommandID: id.String(), CommandSequenceNumber: offset}
	wait, cancel := context.WithTimeout(ctx, e.commandTimeout())
	defer cancel()
	failure, err := e.log.Wait(wait, offset)
	switch {
	case err != nil:
		entity.CommandStatus = api.CommandStatus{Status: api.StatusQueued, Message: "Statement written to command topic"}
	default:
		entity.CommandStatus = e.outcomeStatus(commandlog.Outcome{Offset: offset, Command: c, Err: failure})
	}
	return entity
}

// logError is the answer for a command that did not come into the log for a reason of the log's own. Others stay as they are.
func logError(text string, err error) error {
	var (
		refused   *commandlog.RefusedError
		contended *commandlog.ContendedError
		unknown   *commandlog.UnknownOutcomeError
	)
	if errors.As(err, &refused) && refused.State == commandlog.Terminated {
		return shutDown(api.CodeServerShutDown, refused.Reason)
	}
	if errors.As(err, &refused) {
		answer := api.NewStatementError(text, fmt.Sprintf("Failed to handle Ksql Statement.\n%v", err))
		answer.Code = api.CodeServerError
		return answer
	}
	kind := kafka.KindOf(err)
	if errors.As(err, &contended) || errors.As(err, &unknown) || kind == kafka.Retriable || kind == kafka.Fenced || kind == kafka.Aborted {
		answer := api.NewStatementError(text, fmt.Sprintf("Could not write the statement '%s' into the command topic.\n%v", text, err))
		answer.Code = api.CodeCommandQueueBehind
		return answer
	}
	return err
}

var errNothingToDo = errors.New("engine: the statement changes nothing")

// commandTimeout is how long a request waits for a command to be applied.
func (e *Engine) commandTimeout() time.Duration {
	return time.Duration(properties.Int(e.cfg.Properties, "ksql.server.command.response.timeout.ms")) * time.Millisecond
}

// waitForCommand waits until a command the client has seen acknowledged is applied here too.
func (e *Engine) waitForCommand(ctx context.Context, number *int64) error {
	if number == nil || *number < 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.commandTimeout())
	defer cancel()
	if _, err := e.log.Wait(ctx, *number); err != nil {
		return api.NewError(api.CodeCommandQueueBehind,
			"Timed out while waiting for a previous command to execute. command sequence number: %d", *number)
	}
	return nil
}

func base(text string) api.Base { return api.Base{StatementText: text} }

// statementError makes the answer for a failed statement: ksqlDB's text first, then the place and what to do.
func statementError(st statement, err error, done api.Entities) error {
	var generic *api.GenericError
	if errors.As(err, &generic) {
		return generic
	}
	var already *api.StatementError
	if errors.As(err, &already) {
		already.Entities = slices.Clone(done)
		return already
	}
	body := api.NewStatementError(st.Text, render(err, st.source))
	body.Entities = slices.Clone(done)
	var k *kafka.Error
	if errors.As(err, &k) && k.Kind == kafka.Denied {
		return api.NewError(api.CodeKafkaForbidden, "%v", err)
	}
	return body
}

// render prints an error for people; errors without a place are printed as they are.
func render(err error, source string) string {
	if _, ok := diag.As(err); ok && source != "" {
		return diag.Render(err, source)
	}
	return err.Error()
}

// notExecuted is the error for statements that parse and are not executed yet.
func notExecuted(n ast.Node, what string) error {
	return diag.Errorf(diag.NotSupported, n.Span(), "%s is not supported by this version of ksqlgo.", what).
		WithHint("The statement was understood and nothing was changed. See CHANGELOG.md for what is executed.")
}
