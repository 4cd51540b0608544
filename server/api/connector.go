package api

// CreateConnectorEntity is the result of CREATE CONNECTOR.
type CreateConnectorEntity struct {
	Base
	Info ConnectorInfo `json:"info"`
}

// Type is the "@type" of the entity.
func (e *CreateConnectorEntity) Type() string { return "connector_info" }

// MarshalJSON adds the "@type".
func (e *CreateConnectorEntity) MarshalJSON() ([]byte, error) {
	type plain CreateConnectorEntity
	return tagged(e.Type(), (*plain)(e))
}

// ConnectorInfo is Kafka Connect's answer for one connector.
type ConnectorInfo struct {
	Name   string              `json:"name"`
	Config Map[string]         `json:"config"`
	Tasks  List[ConnectorTask] `json:"tasks"`
	Type   string              `json:"type"`
}

// ConnectorTask names a task of a connector.
type ConnectorTask struct {
	Connector string `json:"connector"`
	Task      int    `json:"task"`
}

// DropConnectorEntity is the result of DROP CONNECTOR.
type DropConnectorEntity struct {
	Base
	ConnectorName string `json:"connectorName"`
}

// Type is the "@type" of the entity.
func (e *DropConnectorEntity) Type() string { return "drop_connector" }

// MarshalJSON adds the "@type".
func (e *DropConnectorEntity) MarshalJSON() ([]byte, error) {
	type plain DropConnectorEntity
	return tagged(e.Type(), (*plain)(e))
}

// ConnectorList is the result of SHOW CONNECTORS.
type ConnectorList struct {
	Base
	Connectors List[SimpleConnectorInfo] `json:"connectors"`
}

// Type is the "@type" of the entity.
func (e *ConnectorList) Type() string { return "connector_list" }

// MarshalJSON adds the "@type".
func (e *ConnectorList) MarshalJSON() ([]byte, error) {
	type plain ConnectorList
	return tagged(e.Type(), (*plain)(e))
}

// SimpleConnectorInfo is one row of SHOW CONNECTORS.
type SimpleConnectorInfo struct {
	Name string `json:"name"`
	// Type is "source" or "sink".
	Type      string `json:"type"`
	ClassName string `json:"className"`
	// State is a text such as "RUNNING (1/1 tasks RUNNING)".
	State string `json:"state"`
}

// ConnectorPluginsList is the result of SHOW CONNECTOR PLUGINS.
type ConnectorPluginsList struct {
	Base
	Plugins List[ConnectorPlugin] `json:"connectorsPlugins"`
}

// Type is the "@type" of the entity.
func (e *ConnectorPluginsList) Type() string { return "connector_plugins_list" }

// MarshalJSON adds the "@type".
func (e *ConnectorPluginsList) MarshalJSON() ([]byte, error) {
	type plain ConnectorPluginsList
	return tagged(e.Type(), (*plain)(e))
}

// ConnectorPlugin is one row of SHOW CONNECTOR PLUGINS.
type ConnectorPlugin struct {
	ClassName string `json:"className"`
	Type      string `json:"type"`
	Version   string `json:"version"`
}

// ConnectorDescription is the result of DESCRIBE CONNECTOR.
type ConnectorDescription struct {
	Base
	ConnectorClass string                  `json:"connectorClass"`
	Status         ConnectorStatus         `json:"status"`
	Sources        List[SourceDescription] `json:"sources"`
	Topics         List[string]            `json:"topics"`
}

// Type is the "@type" of the entity.
func (e *ConnectorDescription) Type() string { return "connector_description" }

// MarshalJSON adds the "@type".
func (e *ConnectorDescription) MarshalJSON() ([]byte, error) {
	type plain ConnectorDescription
	return tagged(e.Type(), (*plain)(e))
}

// ConnectorStatus is how a connector and its tasks are.
type ConnectorStatus struct {
	Name      string                   `json:"name"`
	Connector ConnectorState           `json:"connector"`
	Tasks     List[ConnectorTaskState] `json:"tasks"`
	Type      string                   `json:"type"`
}

// ConnectorState is the state of a connector on a worker.
type ConnectorState struct {
	State    string `json:"state"`
	WorkerID string `json:"worker_id"`
	Trace    string `json:"trace,omitempty"`
}

// ConnectorTaskState is the state of one task of a connector.
type ConnectorTaskState struct {
	ID       int    `json:"id"`
	State    string `json:"state"`
	WorkerID string `json:"worker_id"`
	Trace    string `json:"trace,omitempty"`
}
