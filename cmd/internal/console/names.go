package console

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ksqlgo/ksqlgo/cmd/internal/repl"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// names keeps what completion offers up to date, asking the server in the
// background. A nil *names does nothing.
type names struct {
	current atomic.Pointer[repl.Catalog]
	server  atomic.Pointer[client.Client]
	wake    chan struct{}
	cancel  context.CancelFunc
	wait    sync.WaitGroup
}

// refreshEvery is how old names may get while the user is idle: others may
// have created what the user wants to complete.
const refreshEvery = 30 * time.Second

func newNames(s *session) *names {
	ctx, cancel := context.WithCancel(context.Background())
	n := &names{wake: make(chan struct{}, 1), cancel: cancel}
	n.current.Store(&repl.Catalog{})
	n.server.Store(s.client)
	n.wait.Go(func() { n.loop(ctx) })
	n.refresh()
	return n
}

func (n *names) catalog() *repl.Catalog { return n.current.Load() }

// refresh asks for new names soon.
func (n *names) refresh() {
	if n == nil {
		return
	}
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// use asks another server from now on.
func (n *names) use(c *client.Client) {
	if n != nil {
		n.server.Store(c)
		n.refresh()
	}
}

func (n *names) close() {
	n.cancel()
	n.wait.Wait()
}

func (n *names) loop(ctx context.Context) {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		case <-ticker.C:
		}
		n.current.Store(fetchNames(ctx, n.server.Load(), n.current.Load()))
	}
}

// fetchNames asks one statement at a time: a server may not know them all. What
// it does not answer stays as it was before.
func fetchNames(ctx context.Context, server *client.Client, before *repl.Catalog) *repl.Catalog {
	next := *before
	ask := func(statements ...string) api.Entity {
		for _, statement := range statements {
			one, cancel := context.WithTimeout(ctx, 5*time.Second)
			entities, err := server.Execute(one, client.Request{SQL: statement})
			cancel()
			if err == nil && len(entities) > 0 {
				return entities[0]
			}
		}
		return nil
	}
	streams := ask("DESCRIBE STREAMS;", "SHOW STREAMS;")
	tables := ask("DESCRIBE TABLES;", "SHOW TABLES;")
	if streams != nil && tables != nil {
		next.Sources = append(sourcesOf(streams), sourcesOf(tables)...)
	}
	if list, ok := ask("SHOW TOPICS;").(*api.KafkaTopicsList); ok {
		next.Topics = nil
		for _, topic := range list.Topics {
			next.Topics = append(next.Topics, topic.Name)
		}
	}
	if list, ok := ask("SHOW QUERIES;").(*api.Queries); ok {
		next.Queries = nil
		for _, q := range list.Queries {
			next.Queries = append(next.Queries, q.ID)
		}
	}
	if list, ok := ask("SHOW TYPES;").(*api.TypeList); ok {
		next.Types = nil
		for name := range list.Types {
			next.Types = append(next.Types, name)
		}
	}
	if len(before.Functions) == 0 { // these change with the server only
		if list, ok := ask("SHOW FUNCTIONS;").(*api.FunctionNameList); ok {
			for _, f := range list.Functions {
				next.Functions = append(next.Functions, repl.Function{Name: f.Name, Kind: f.Type})
			}
		}
		if list, ok := ask("SHOW PROPERTIES;").(*api.PropertiesList); ok {
			for _, p := range list.Properties {
				next.Properties = append(next.Properties, p.Name)
			}
		}
	}
	return &next
}

// sourcesOf reads any entity that lists sources.
func sourcesOf(e api.Entity) []repl.Source {
	var out []repl.Source
	add := func(list []api.SourceInfo) {
		for _, s := range list {
			out = append(out, repl.Source{Name: s.Name, Kind: s.Type})
		}
	}
	switch e := e.(type) {
	case *api.StreamsList:
		add(e.Streams)
	case *api.TablesList:
		add(e.Tables)
	case *api.SourceDescriptionList:
		for _, d := range e.SourceDescriptions {
			source := repl.Source{Name: d.Name, Kind: d.Type}
			for _, f := range d.Fields {
				source.Columns = append(source.Columns, repl.Column{Name: f.Name, Type: f.Schema.Type})
			}
			out = append(out, source)
		}
	}
	return out
}
