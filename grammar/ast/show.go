package ast

// ListSources is SHOW STREAMS or SHOW TABLES.
type ListSources struct {
	Located
	Kind     SourceKind
	Extended bool
}

// ListQueries is SHOW QUERIES.
type ListQueries struct {
	Located
	Extended bool
}

// ListTopics is SHOW [ALL] TOPICS.
type ListTopics struct {
	Located
	All      bool
	Extended bool
}

// ListFunctions is SHOW FUNCTIONS.
type ListFunctions struct{ Located }

// ListTypes is SHOW TYPES.
type ListTypes struct{ Located }

// ListVariables is SHOW VARIABLES.
type ListVariables struct{ Located }

// ListProperties is SHOW PROPERTIES.
type ListProperties struct{ Located }

// ListConnectors is SHOW [SOURCE|SINK] CONNECTORS.
type ListConnectors struct {
	Located
	Kind ConnectorKind
}

// ListConnectorPlugins is SHOW CONNECTOR PLUGINS.
type ListConnectorPlugins struct{ Located }

// Describe shows one source.
type Describe struct {
	Located
	Name     Ident
	Extended bool
}

// DescribeSources is DESCRIBE STREAMS or DESCRIBE TABLES.
type DescribeSources struct {
	Located
	Kind     SourceKind
	Extended bool
}

// DescribeFunction shows one function.
type DescribeFunction struct {
	Located
	Name Ident
}

// DescribeConnector shows one connector.
type DescribeConnector struct {
	Located
	Name Ident
}

func (*ListSources) statement()          {}
func (*ListQueries) statement()          {}
func (*ListTopics) statement()           {}
func (*ListFunctions) statement()        {}
func (*ListTypes) statement()            {}
func (*ListVariables) statement()        {}
func (*ListProperties) statement()       {}
func (*ListConnectors) statement()       {}
func (*ListConnectorPlugins) statement() {}
func (*Describe) statement()             {}
func (*DescribeSources) statement()      {}
func (*DescribeFunction) statement()     {}
func (*DescribeConnector) statement()    {}
