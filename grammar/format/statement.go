package format

import (
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// statement writes a statement without its semicolon.
func (p *printer) statement(s ast.Statement) {
	switch s := s.(type) {
	case *ast.CreateSource, *ast.CreateAsSelect, *ast.InsertSelect, *ast.InsertValues, *ast.AlterSource, *ast.DropSource,
		*ast.CreateType, *ast.DropType, *ast.CreateConnector, *ast.DropConnector:
		p.definition(s)
	case *ast.Query:
		p.selectStatement(s.Select)
	case *ast.Terminate:
		p.queryOrAll("TERMINATE ", s.Query)
	case *ast.Pause:
		p.queryOrAll("PAUSE ", s.Query)
	case *ast.Resume:
		p.queryOrAll("RESUME ", s.Query)
	case *ast.Explain:
		p.put("EXPLAIN ")
		if s.Query != nil {
			p.name(*s.Query)
		} else {
			p.statement(s.Statement)
		}
	case *ast.Print:
		p.print(s)
	case *ast.SetProperty:
		p.put("SET ", token.Quote(s.Name.Value), "=", token.Quote(s.Value.Value))
	case *ast.UnsetProperty:
		p.put("UNSET ", token.Quote(s.Name.Value))
	case *ast.AlterSystem:
		p.put("ALTER SYSTEM ", token.Quote(s.Name.Value), "=", token.Quote(s.Value.Value))
	case *ast.Define:
		p.put("DEFINE ")
		p.name(s.Name)
		p.put("=", token.Quote(s.Value.Value))
	case *ast.Undefine:
		p.named("UNDEFINE ", s.Name)
	case *ast.RunScript:
		p.put("RUN SCRIPT ", token.Quote(s.Path.Value))
	case *ast.AssertTopic, *ast.AssertSchema, *ast.AssertValues, *ast.AssertTombstone, *ast.AssertSource:
		p.assert(s)
	case *ast.ListSources, *ast.ListQueries, *ast.ListTopics, *ast.ListFunctions, *ast.ListTypes, *ast.ListVariables,
		*ast.ListProperties, *ast.ListConnectors, *ast.ListConnectorPlugins, *ast.Describe, *ast.DescribeSources,
		*ast.DescribeFunction, *ast.DescribeConnector:
		p.show(s)
	}
}

func (p *printer) named(words string, name ast.Ident) {
	p.put(words)
	p.name(name)
}

func (p *printer) queryOrAll(words string, query *ast.Ident) {
	if query == nil {
		p.put(words, "ALL")
		return
	}
	p.named(words, *query)
}

func (p *printer) print(s *ast.Print) {
	p.put("PRINT ")
	p.topic(s.Topic)
	p.when(s.FromBeginning, " FROM BEGINNING")
	if s.Interval != nil {
		p.put(" INTERVAL ")
		p.number(*s.Interval)
	}
	if s.Limit != nil {
		p.put(" LIMIT ")
		p.number(s.Limit.Count)
	}
}

func (p *printer) show(s ast.Statement) {
	extended := func(is bool) { p.when(is, " EXTENDED") }
	switch s := s.(type) {
	case *ast.ListSources:
		p.put("SHOW ", s.Kind.String(), "S")
		extended(s.Extended)
	case *ast.ListQueries:
		p.put("SHOW QUERIES")
		extended(s.Extended)
	case *ast.ListTopics:
		p.put("SHOW ")
		p.when(s.All, "ALL ")
		p.put("TOPICS")
		extended(s.Extended)
	case *ast.ListFunctions:
		p.put("SHOW FUNCTIONS")
	case *ast.ListTypes:
		p.put("SHOW TYPES")
	case *ast.ListVariables:
		p.put("SHOW VARIABLES")
	case *ast.ListProperties:
		p.put("SHOW PROPERTIES")
	case *ast.ListConnectors:
		p.put("SHOW ", connectorKind(s.Kind), "CONNECTORS")
	case *ast.ListConnectorPlugins:
		p.put("SHOW CONNECTOR PLUGINS")
	case *ast.Describe:
		p.put("DESCRIBE ")
		p.describedName(s.Name)
		extended(s.Extended)
	case *ast.DescribeSources:
		p.put("DESCRIBE ", s.Kind.String(), "S")
		extended(s.Extended)
	case *ast.DescribeFunction:
		p.named("DESCRIBE FUNCTION ", s.Name)
	case *ast.DescribeConnector:
		p.named("DESCRIBE CONNECTOR ", s.Name)
	default: // The others are not concerned.
	}
}

// describedName keeps sources whose names are keywords of DESCRIBE apart from them.
func (p *printer) describedName(name ast.Ident) {
	if name.Name == "TABLES" || name.Name == "FUNCTION" {
		p.put(token.QuoteIdent(name.Name))
		return
	}
	p.name(name)
}

func connectorKind(k ast.ConnectorKind) string {
	switch k {
	case ast.SourceConnector:
		return "SOURCE "
	case ast.SinkConnector:
		return "SINK "
	}
	return ""
}

func (p *printer) assert(s ast.Statement) {
	timeout := func(t *ast.Interval) {
		if t != nil {
			p.put(" TIMEOUT ")
			p.interval(*t)
		}
	}
	p.put("ASSERT ")
	switch s := s.(type) {
	case *ast.AssertTopic:
		p.when(s.NotExists, "NOT EXISTS ")
		p.put("TOPIC ")
		p.topic(s.Topic)
		p.with(s.With)
		timeout(s.Timeout)
	case *ast.AssertSchema:
		p.when(s.NotExists, "NOT EXISTS ")
		p.put("SCHEMA")
		if s.Subject != nil {
			p.put(" SUBJECT ")
			p.topic(*s.Subject)
		}
		if s.ID != nil {
			p.put(" ID ")
			p.number(*s.ID)
		}
		timeout(s.Timeout)
	case *ast.AssertValues:
		p.named("VALUES ", s.Source)
		p.names(s.Columns)
		p.put(" VALUES ")
		p.values(s.Values)
	case *ast.AssertTombstone:
		p.named("NULL VALUES ", s.Source)
		p.names(s.Columns)
		p.put(" KEY ")
		p.values(s.Key)
	case *ast.AssertSource:
		p.named(s.Kind.String()+" ", s.Name)
		p.columns(s.Columns)
		p.with(s.With)
	default: // The others are not concerned.
	}
}
