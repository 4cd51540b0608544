package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// plannedCommand is a statement ready to be written to the log.
type plannedCommand struct {
	id      commandlog.ID
	command *commandlog.Command
	// plan is that of the query that the command starts, nil when there is none or it does not begin anew.
	plan *physical.Plan
	// topics must exist before the command is written.
	topics []kafka.TopicSpec
	// schemas are registered once the topics exist.
	schemas []planner.SchemaPlan
	// dropped are the subjects whose schemas go with the topic that the command deletes.
	dropped []string
	// warning says why nothing is to be done (IF NOT EXISTS, IF EXISTS); nothing else is set then.
	warning string
}

// planCommand plans a statement in an environment of env; offset is where its command will stand.
func (e *Engine) planCommand(ctx context.Context, s *session, st statement, env *planner.Env, offset int64) (*plannedCommand, error) {
	snapshot := env.Catalog
	env.QueryNumber = offset
	switch n := st.Statement.(type) {
	case *ast.CreateSource:
		return planCreateSource(env, s, n)
	case *ast.AlterSource:
		return planAlter(env, s, st, n)
	case *ast.CreateAsSelect:
		return planCreateAs(env, s, n)
	case *ast.InsertSelect:
		return planInsertSelect(env, s, n, offset)
	case *ast.DropSource:
		p, err := planDrop(snapshot, st, n)
		if err == nil && n.DeleteTopic && p.command != nil {
			p.command.TopicID, err = e.topicID(ctx, p.command.Topic)
			if src, ok := snapshot.Source(n.Name.Name); ok {
				p.dropped = e.subjectsOf(src)
			}
		}
		return p, err
	case *ast.Terminate:
		return planQueryCommand(snapshot, st, commandlog.TerminateQuery, n.Query)
	case *ast.Pause:
		return planQueryCommand(snapshot, st, commandlog.PauseQuery, n.Query)
	case *ast.Resume:
		return planQueryCommand(snapshot, st, commandlog.ResumeQuery, n.Query)
	case *ast.CreateType:
		return planCreateType(env, st, n)
	case *ast.DropType:
		return planDropType(snapshot, st, n)
	default:
		return nil, notExecuted(n, kindOf(n))
	}
}

// env is the planner's view of the world.
func (e *Engine) env(ctx context.Context, s *session, snapshot *catalog.Snapshot, created map[string]kafka.TopicInfo) *planner.Env {
	return &planner.Env{
		Catalog: snapshot, Functions: e.cfg.Functions, Formats: e.cfg.Formats, Schemas: e.cfg.Schemas,
		Topics:     topicLookup{ctx: ctx, admin: e.cfg.Kafka.Admin(), created: created},
		Constants:  e.constants(s.properties()),
		Plans:      e.plan,
		Properties: s.properties(), ServiceID: e.cfg.ServiceID,
	}
}

// topicID is the id of a topic, empty when there is none of that name.
func (e *Engine) topicID(ctx context.Context, name string) (string, error) {
	infos, err := e.cfg.Kafka.Admin().Topics(ctx, name)
	if info, ok := infos[name]; ok && err == nil {
		return info.ID.String(), nil
	}
	return "", err
}

// topicLookup tells the planner which topics exist.
type topicLookup struct {
	ctx     context.Context
	admin   *kafka.Admin
	created map[string]kafka.TopicInfo
}

// Topic implements planner.Topics.
func (t topicLookup) Topic(name string) (planner.TopicInfo, bool, error) {
	info, ok := t.created[name]
	if !ok {
		infos, err := t.admin.Topics(t.ctx, name)
		if err != nil {
			return planner.TopicInfo{}, false, err
		}
		if info, ok = infos[name]; !ok {
			return planner.TopicInfo{}, false, nil
		}
	}
	return planner.TopicInfo{Partitions: int(info.Partitions), Replicas: int(info.ReplicationFactor)}, true, nil
}

// topicSpecs lists the topic of a plan if it has to be created.
func topicSpecs(t planner.TopicPlan) []kafka.TopicSpec {
	if t.Exists || t.Name == "" {
		return nil
	}
	spec := kafka.TopicSpec{Name: t.Name, Partitions: int32(t.Partitions), Configs: t.Config}
	if t.Replicas > 0 {
		spec.ReplicationFactor = int16(t.Replicas)
	}
	return []kafka.TopicSpec{spec}
}

func kindName(k catalog.Kind) string { return strings.ToLower(k.String()) }

// outcomeStatus is a command's outcome as clients see it.
func (e *Engine) outcomeStatus(o commandlog.Outcome) api.CommandStatus {
	c := o.Command
	status := api.CommandStatus{Status: api.StatusSuccess, Message: outcomeMessage(c)}
	if c.Action == commandlog.StartQuery {
		id := c.Query.ID
		status.QueryID = &id
		if c.Query.Kind == catalog.InsertQuery || c.Source != nil {
			status.Status = api.StatusSuccess
		}
	}
	if o.Err != nil {
		status.Status, status.Message = api.StatusError, o.Err.Error()
	}
	return status
}

// outcomeMessage is ksqlDB's message for a command that was carried out.
func outcomeMessage(c *commandlog.Command) string {
	switch c.Action {
	case commandlog.CreateSource:
		if c.Source.Kind == catalog.Table {
			return "Table created"
		}
		return "Stream created"
	case commandlog.AlterSource:
		noun := "Stream"
		if c.Source.Kind == catalog.Table {
			noun = "Table"
		}
		return fmt.Sprintf("%s %s altered.", noun, c.Source.Name)
	case commandlog.StartQuery:
		return "Created query with ID " + c.Query.ID
	case commandlog.DropSource:
		return fmt.Sprintf("Source `%s` (topic: %s) was dropped.", c.Name, c.Topic)
	case commandlog.TerminateQuery:
		return "Query terminated."
	case commandlog.PauseQuery:
		return "Query paused."
	case commandlog.ResumeQuery:
		return "Query resumed."
	case commandlog.CreateType:
		return fmt.Sprintf("Registered custom type with name '%s' and SQL type %s", c.Name, c.Type)
	case commandlog.DropType:
		return fmt.Sprintf("Dropped type '%s'", c.Name)
	case commandlog.TerminateCluster:
		return fmt.Sprintf("Cluster terminated: all queries have ended. Topics being deleted with the service: %d.", len(c.DeleteTopics))
	}
	return ""
}
