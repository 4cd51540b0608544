package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/functions/regex"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// terminateClusterText is what stands for the request in the command log, as in ksqlDB. It is no statement that clients send.
const terminateClusterText = "TERMINATE CLUSTER;"

// TerminateCluster ends the service, on all servers and for good: all queries end, what they leave is removed, and the topics
// are deleted that match an entry of topics and were created by statements of the service whose sources still exist; others
// are not touched. An entry that is the name of a source's topic means that topic, any other one is a regular expression in
// Java's syntax for whole names. The answer comes when the queries have ended on this server; the rest goes on behind it. The
// error is an api.ErrorBody.
func (e *Engine) TerminateCluster(ctx context.Context, topics []string) (api.Entities, error) {
	patterns, err := parseTopicPatterns(topics)
	if err != nil {
		return nil, err
	}
	e.ddl.Lock()
	defer e.ddl.Unlock()
	var command *commandlog.Command
	var warnings []string
	id, offset, err := e.log.Append(ctx, func(s *catalog.Snapshot, _ int64) (commandlog.ID, *commandlog.Command, error) {
		command = &commandlog.Command{Action: commandlog.TerminateCluster, Statement: terminateClusterText}
		var err error
		command.DeleteTopics, warnings, err = topicsToDelete(s, patterns)
		return commandlog.ID{Type: "cluster", Entity: "TerminateCluster", Action: "terminate"}, command, err
	})
	if err != nil {
		err = logError(terminateClusterText, err)
		var body api.ErrorBody
		if !errors.As(err, &body) {
			failed := api.NewStatementError(terminateClusterText, err.Error())
			failed.Code = api.CodeServerError
			body = failed
		}
		return nil, body
	}
	entity := e.outcome(ctx, id, command, offset)
	for _, w := range warnings {
		entity.Warnings = append(entity.Warnings, api.Warning{Message: w})
	}
	return api.Entities{entity}, nil
}

// topicPattern is an entry of a deleteTopicList.
type topicPattern struct {
	text    string
	matches func(topic string) (bool, error)
}

// parseTopicPatterns compiles the entries of a deleteTopicList.
func parseTopicPatterns(list []string) ([]topicPattern, error) {
	var out []topicPattern
	for _, text := range list {
		matches, err := regex.Whole(text)
		if err != nil {
			return nil, api.NewError(api.CodeBadRequest, "Invalid pattern: %s\n%v", text, err)
		}
		out = append(out, topicPattern{text, matches})
	}
	return out, nil
}

// topicsToDelete finds the topics of a catalog that match and were created by the service, in order. warnings tell of
// entries that match none, and of topics that match and stay.
func topicsToDelete(s *catalog.Snapshot, patterns []topicPattern) (refs []commandlog.TopicRef, warnings []string, err error) {
	created := map[string][]string{} // ids by name, none for topics that others have created
	var names []string
	for _, src := range s.Sources() {
		if _, seen := created[src.Topic]; !seen {
			created[src.Topic] = nil
			names = append(names, src.Topic)
		}
		if src.TopicID != "" {
			created[src.Topic] = append(created[src.Topic], src.TopicID)
		}
	}
	slices.Sort(names)
	chosen := map[string]bool{}
	for _, p := range patterns {
		found, err := p.choose(names)
		if err != nil {
			return nil, nil, err
		}
		if len(found) == 0 {
			warnings = append(warnings, fmt.Sprintf("No topic of a stream or table matches '%s'.", p.text))
		}
		for _, name := range found {
			chosen[name] = true
		}
	}
	for _, name := range names {
		if !chosen[name] {
			continue
		}
		if len(created[name]) == 0 {
			warnings = append(warnings, fmt.Sprintf("The topic %s matches and stays: it was not created by this service.", name))
		}
		for _, id := range created[name] {
			refs = append(refs, commandlog.TopicRef{Name: name, ID: id})
		}
	}
	return refs, warnings, nil
}

// choose picks the names that an entry means.
func (p topicPattern) choose(names []string) ([]string, error) {
	if slices.Contains(names, p.text) {
		return []string{p.text}, nil
	}
	var out []string
	for _, name := range names {
		ok, err := p.matches(name)
		if err != nil {
			return nil, api.NewError(api.CodeBadRequest, "Invalid pattern: %s\n%v", p.text, err)
		}
		if ok {
			out = append(out, name)
		}
	}
	return out, nil
}
