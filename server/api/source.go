package api

// SourceInfo is one row of SHOW STREAMS or SHOW TABLES.
type SourceInfo struct {
	// Type is "STREAM" or "TABLE".
	Type        string `json:"type"`
	Name        string `json:"name"`
	Topic       string `json:"topic"`
	KeyFormat   string `json:"keyFormat"`
	ValueFormat string `json:"valueFormat"`
	IsWindowed  bool   `json:"isWindowed"`
}

// StreamsList is the result of SHOW STREAMS.
type StreamsList struct {
	Base
	Streams List[SourceInfo] `json:"streams"`
}

// Type is the "@type" of the entity.
func (e *StreamsList) Type() string { return "streams" }

// MarshalJSON adds the "@type".
func (e *StreamsList) MarshalJSON() ([]byte, error) {
	type plain StreamsList
	return tagged(e.Type(), (*plain)(e))
}

// TablesList is the result of SHOW TABLES.
type TablesList struct {
	Base
	Tables List[SourceInfo] `json:"tables"`
}

// Type is the "@type" of the entity.
func (e *TablesList) Type() string { return "tables" }

// MarshalJSON adds the "@type".
func (e *TablesList) MarshalJSON() ([]byte, error) {
	type plain TablesList
	return tagged(e.Type(), (*plain)(e))
}

// SourceDescriptionEntity is the result of DESCRIBE.
type SourceDescriptionEntity struct {
	Base
	SourceDescription SourceDescription `json:"sourceDescription"`
}

// Type is the "@type" of the entity.
func (e *SourceDescriptionEntity) Type() string { return "sourceDescription" }

// MarshalJSON adds the "@type".
func (e *SourceDescriptionEntity) MarshalJSON() ([]byte, error) {
	type plain SourceDescriptionEntity
	return tagged(e.Type(), (*plain)(e))
}

// SourceDescriptionList is the result of DESCRIBE STREAMS, DESCRIBE TABLES and
// SHOW STREAMS EXTENDED.
type SourceDescriptionList struct {
	Base
	SourceDescriptions List[SourceDescription] `json:"sourceDescriptions"`
}

// Type is the "@type" of the entity.
func (e *SourceDescriptionList) Type() string { return "source_descriptions" }

// MarshalJSON adds the "@type".
func (e *SourceDescriptionList) MarshalJSON() ([]byte, error) {
	type plain SourceDescriptionList
	return tagged(e.Type(), (*plain)(e))
}

// SourceDescription tells all about one stream or table.
type SourceDescription struct {
	Name string `json:"name"`
	// WindowType is TUMBLING, HOPPING or SESSION, nil when not windowed.
	WindowType   *string            `json:"windowType"`
	ReadQueries  List[RunningQuery] `json:"readQueries"`
	WriteQueries List[RunningQuery] `json:"writeQueries"`
	Fields       List[FieldInfo]    `json:"fields"`
	// Type is "STREAM" or "TABLE".
	Type string `json:"type"`
	// Timestamp is the column the record time comes from, empty for ROWTIME.
	Timestamp string `json:"timestamp"`
	// Statistics and ErrorStats are texts of old servers; ClusterStatistics
	// replaces them.
	Statistics string `json:"statistics"`
	ErrorStats string `json:"errorStats"`
	// Extended says that the answer belongs to DESCRIBE … EXTENDED.
	Extended    bool   `json:"extended"`
	KeyFormat   string `json:"keyFormat"`
	ValueFormat string `json:"valueFormat"`
	Topic       string `json:"topic"`
	Partitions  int    `json:"partitions"`
	Replication int    `json:"replication"`
	// Statement creates the source again, with the WITH properties that the
	// server filled in.
	Statement            string                   `json:"statement"`
	QueryOffsetSummaries List[QueryOffsetSummary] `json:"queryOffsetSummaries"`
	// SourceConstraints are the sources that must be dropped first.
	SourceConstraints List[string]        `json:"sourceConstraints"`
	ClusterStatistics List[QueryHostStat] `json:"clusterStatistics"`
	ClusterErrorStats List[QueryHostStat] `json:"clusterErrorStats"`
}

// QueryHostStat is one figure of one host.
type QueryHostStat struct {
	Host  HostInfo `json:"host"`
	Name  string   `json:"name"`
	Value float64  `json:"value"`
	// Timestamp is when the figure last changed, in Unix milliseconds.
	Timestamp int64 `json:"timestamp"`
}

// QueryOffsetSummary is how far one consumer group got.
type QueryOffsetSummary struct {
	GroupID        string                        `json:"groupId"`
	TopicSummaries List[QueryTopicOffsetSummary] `json:"topicSummaries"`
}

// QueryTopicOffsetSummary is how far a group got in one topic.
type QueryTopicOffsetSummary struct {
	KafkaTopic string                         `json:"kafkaTopic"`
	Offsets    List[ConsumerPartitionOffsets] `json:"offsets"`
}

// ConsumerPartitionOffsets is how far a group got in one partition.
type ConsumerPartitionOffsets struct {
	Partition      int   `json:"partition"`
	LogStartOffset int64 `json:"logStartOffset"`
	LogEndOffset   int64 `json:"logEndOffset"`
	ConsumerOffset int64 `json:"consumerOffset"`
}
