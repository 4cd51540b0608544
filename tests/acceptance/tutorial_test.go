package acceptance

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	functions "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec/sim"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// tutorialRecord is a record of input.json and output.json.
type tutorialRecord struct {
	Topic     string          `json:"topic"`
	Key       json.RawMessage `json:"key"`
	Value     json.RawMessage `json:"value"`
	Timestamp *int64          `json:"timestamp"`
	Window    *struct {
		Start int64  `json:"start"`
		End   int64  `json:"end"`
		Type  string `json:"type"`
	} `json:"window"`
}

func (r *tutorialRecord) record() sqltest.Record {
	out := sqltest.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}
	if r.Window != nil {
		out.Window = &sqltest.Window{Start: r.Window.Start, End: r.Window.End, Session: strings.EqualFold(r.Window.Type, "session")}
	}
	return out
}

// runTutorial does what ksqlDB's test runner does with statements.sql, input.json and output.json.
func runTutorial(_ context.Context, dir string) error {
	statements, err := os.ReadFile(filepath.Join(dir, "statements.sql"))
	if err != nil {
		return err
	}
	var in struct {
		Inputs []tutorialRecord `json:"inputs"`
	}
	if err := readJSON(filepath.Join(dir, "input.json"), &in); err != nil {
		return err
	}
	var want struct {
		Outputs []tutorialRecord `json:"outputs"`
	}
	if err := readJSON(filepath.Join(dir, "output.json"), &want); err != nil {
		return err
	}
	registry := &schemas.Memory{}
	w := sqltest.New(sqltest.Config{
		Functions: functions.Registry(), Formats: formats.Registry(registry), Schemas: registry, ServiceID: "ksql_test_",
		Properties: map[string]string{"auto.offset.reset": "earliest"},
	})
	defer w.Close()
	made, err := madeTopics(string(statements))
	if err != nil {
		return err
	}
	for i := range in.Inputs {
		if topic := in.Inputs[i].Topic; !made[topic] {
			w.Sim().CreateTopic(topic, 1)
		}
	}
	if err := w.Execute(string(statements)); err != nil {
		return err
	}
	var inputs []sqltest.Input
	for i := range in.Inputs {
		produced, err := w.Produce(in.Inputs[i].record())
		if err != nil {
			return fmt.Errorf("input %d: %w", i+1, err)
		}
		inputs = append(inputs, produced)
	}
	if err := w.Feed(inputs); err != nil {
		return err
	}
	return compareTopics(w, want.Outputs)
}

// madeTopics are the topics that statements make: those of which they give the partitions.
func madeTopics(statements string) (map[string]bool, error) {
	list, err := grammar.Parse(statements, grammar.Options{OptionalSemicolon: true})
	if err != nil {
		return nil, err
	}
	made := map[string]bool{}
	for _, st := range list {
		create, ok := st.Statement.(*ast.CreateSource)
		if !ok {
			continue
		}
		topic, partitions := "", false
		for _, p := range create.With {
			switch text, isText := p.Value.(*ast.StringLiteral); {
			case strings.EqualFold(p.Name, "PARTITIONS"):
				partitions = true
			case strings.EqualFold(p.Name, "KAFKA_TOPIC") && isText:
				topic = text.Value
			}
		}
		made[topic] = made[topic] || partitions
	}
	return made, nil
}

func compareTopics(w *sqltest.World, outputs []tutorialRecord) error {
	byTopic := map[string][]sqltest.Record{}
	for i := range outputs {
		byTopic[outputs[i].Topic] = append(byTopic[outputs[i].Topic], outputs[i].record())
	}
	for name, want := range byTopic {
		var got []sim.Record
		if t, ok := w.Sim().Topic(name); ok {
			got = t.Records()
		}
		if err := w.CompareTopic(name, want, got); err != nil {
			return err
		}
	}
	return nil
}

func readJSON(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	return nil
}
