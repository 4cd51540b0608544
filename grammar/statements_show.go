package grammar

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
)

type listSources struct {
	matched
	Kind     string `parser:"( 'LIST' | 'SHOW' ) @( 'STREAMS' | 'TABLES' )"`
	Extended bool   `parser:"@'EXTENDED'?"`
}

func (s listSources) build() (ast.Statement, error) {
	return &ast.ListSources{Located: s.at(), Kind: sourceKind(s.Kind), Extended: s.Extended}, nil
}

type listQueries struct {
	matched
	Extended bool `parser:"( 'LIST' | 'SHOW' ) 'QUERIES' @'EXTENDED'?"`
}

func (s listQueries) build() (ast.Statement, error) {
	return &ast.ListQueries{Located: s.at(), Extended: s.Extended}, nil
}

type listTopics struct {
	matched
	All      bool `parser:"( 'LIST' | 'SHOW' ) @'ALL'? 'TOPICS'"`
	Extended bool `parser:"@'EXTENDED'?"`
}

func (s listTopics) build() (ast.Statement, error) {
	return &ast.ListTopics{Located: s.at(), All: s.All, Extended: s.Extended}, nil
}

type listOthers struct {
	matched
	What string `parser:"( 'LIST' | 'SHOW' ) @( 'FUNCTIONS' | 'TYPES' | 'VARIABLES' | 'PROPERTIES' )"`
}

func (s listOthers) build() (ast.Statement, error) {
	switch strings.ToUpper(s.What) {
	case "FUNCTIONS":
		return &ast.ListFunctions{Located: s.at()}, nil
	case "TYPES":
		return &ast.ListTypes{Located: s.at()}, nil
	case "VARIABLES":
		return &ast.ListVariables{Located: s.at()}, nil
	}
	return &ast.ListProperties{Located: s.at()}, nil
}

type listConnectors struct {
	matched
	Kind string `parser:"( 'LIST' | 'SHOW' ) @( 'SOURCE' | 'SINK' )? 'CONNECTORS'"`
}

func (s listConnectors) build() (ast.Statement, error) {
	kinds := map[string]ast.ConnectorKind{"SOURCE": ast.SourceConnector, "SINK": ast.SinkConnector}
	return &ast.ListConnectors{Located: s.at(), Kind: kinds[strings.ToUpper(s.Kind)]}, nil
}

type listPlugins struct {
	matched
	Plugins bool `parser:"( 'LIST' | 'SHOW' ) 'CONNECTOR' @'PLUGINS'"`
}

func (s listPlugins) build() (ast.Statement, error) {
	return &ast.ListConnectorPlugins{Located: s.at()}, nil
}

type describeSources struct {
	matched
	Kind     string `parser:"'DESCRIBE' @( 'STREAMS' | 'TABLES' )"`
	Extended bool   `parser:"@'EXTENDED'?"`
}

func (s describeSources) build() (ast.Statement, error) {
	return &ast.DescribeSources{Located: s.at(), Kind: sourceKind(s.Kind), Extended: s.Extended}, nil
}

type describeFunction struct {
	matched
	Name name `parser:"'DESCRIBE' 'FUNCTION' @@"`
}

func (s describeFunction) build() (ast.Statement, error) {
	return &ast.DescribeFunction{Located: s.at(), Name: s.Name.Ident}, nil
}

type describeConnector struct {
	matched
	Name name `parser:"'DESCRIBE' 'CONNECTOR' @@"`
}

func (s describeConnector) build() (ast.Statement, error) {
	return &ast.DescribeConnector{Located: s.at(), Name: s.Name.Ident}, nil
}

type describe struct {
	matched
	Name     name `parser:"'DESCRIBE' @@"`
	Extended bool `parser:"@'EXTENDED'?"`
}

func (s describe) build() (ast.Statement, error) {
	return &ast.Describe{Located: s.at(), Name: s.Name.Ident, Extended: s.Extended}, nil
}
