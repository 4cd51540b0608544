package api

// Cluster is the body of GET /cluster, which is ours: all servers of the service and what their tasks are doing, as the server
// that was asked knows it from heartbeats.
type Cluster struct {
	ServiceID string `json:"serviceId"`
	// Ready says that nothing is in NotReady, which tells, a sentence each, what is still to come before all is as it should be:
	// all servers answer, have applied the same commands, all tasks run and all standbys are complete.
	Ready    bool               `json:"ready"`
	NotReady List[string]       `json:"notReady"`
	Hosts    List[ClusterHost]  `json:"hosts"`
	Queries  List[ClusterQuery] `json:"queries"`
}

// ClusterHost is one server.
type ClusterHost struct {
	// Node is its node id, Host where its public API is, Endpoint where other servers reach it; both are host:port and may be
	// empty.
	Node     string `json:"node"`
	Host     string `json:"host"`
	Endpoint string `json:"endpoint"`
	Zone     string `json:"zone"`
	// Self marks the server that was asked.
	Self bool `json:"self"`
	// Alive servers answer. SilentMs is how long ago it answered last, in milliseconds, nil if it never did, and Reason what went
	// wrong since.
	Alive    bool   `json:"alive"`
	SilentMs *int64 `json:"silentMs"`
	Reason   string `json:"reason,omitempty"`
	// Draining servers give their tasks away, or have done so.
	Draining bool `json:"draining"`
	// Applied is the offset after the last command that was applied.
	Applied int64 `json:"applied"`
	// Active counts the tasks it owns, Restoring those of them that are not running yet, Standby those it stands by for.
	Active    int `json:"active"`
	Restoring int `json:"restoring"`
	Standby   int `json:"standby"`
	// RestoredRows of about RestoreTotal rows have been read by the tasks being restored.
	RestoredRows int64 `json:"restoredRows"`
	RestoreTotal int64 `json:"restoreTotal"`
	// MaxLag and MaxLagMs are the greatest lags of the tasks it owns; MaxLagMs is nil when none is known.
	MaxLag   int64  `json:"maxLag"`
	MaxLagMs *int64 `json:"maxLagMs"`
}

// ClusterQuery is one persistent query.
type ClusterQuery struct {
	ID string `json:"id"`
	// State and StatusCount are as in RunningQuery.
	State       string         `json:"state"`
	StatusCount Map[int]       `json:"statusCount"`
	Tasks       List[TaskInfo] `json:"tasks"`
}

// Values of TaskInfo.State and StandbyInfo.State.
const (
	TaskCreated   = "CREATED"
	TaskRestoring = "RESTORING"
	TaskRunning   = "RUNNING"
	TaskSuspended = "SUSPENDED"
	TaskStandby   = "STANDBY"
	TaskError     = "ERROR"
	// TaskPaused is the task of a query that was paused.
	TaskPaused = "PAUSED"
	// TaskUnresponsive is a task whose server does not answer; what else is told of it is what that server said last.
	TaskUnresponsive = "UNRESPONSIVE"
	// TaskUnassigned is a task that no server says it owns.
	TaskUnassigned = "UNASSIGNED"
)

// TaskInfo is one task of a query, as the server says that owns it.
type TaskInfo struct {
	// TaskID is the stage and the partition, as "0_3".
	TaskID string `json:"taskId"`
	// Host is host:port of the owner, empty for an unassigned task.
	Host  string `json:"host"`
	State string `json:"state"`
	// Lag is how many records are still to be read, of the changelogs while the task restores, else of its inputs. LagMs is the
	// same as time in milliseconds, nil when it is not known: how long ago everything had been processed that was there then.
	Lag   int64  `json:"lag"`
	LagMs *int64 `json:"lagMs"`
	// RestoredRows of about RestoreTotal rows have been read in the restore under way, or in the last one.
	RestoredRows int64             `json:"restoredRows"`
	RestoreTotal int64             `json:"restoreTotal"`
	Standbys     List[StandbyInfo] `json:"standbys"`
	// Inputs are told by EXPLAIN alone.
	Inputs List[TaskInput] `json:"inputs,omitempty"`
}

// StandbyInfo is a server that keeps the state of a task up to date.
type StandbyInfo struct {
	Host string `json:"host"`
	// State is TaskStandby or TaskUnresponsive.
	State string `json:"state"`
	// Warmup says that it is to take the task over when it has caught up.
	Warmup bool `json:"warmup"`
	// Lag is how many records of the changelogs it is behind, LagMs how long ago its state was complete, in milliseconds, nil if
	// it never was.
	Lag   int64  `json:"lag"`
	LagMs *int64 `json:"lagMs"`
}

// TaskInput is one input partition of a task.
type TaskInput struct {
	TopicPartition
	CommittedOffset int64  `json:"committedOffset"`
	EndOffset       int64  `json:"endOffset"`
	Lag             int64  `json:"lag"`
	LagMs           *int64 `json:"lagMs"`
	// StreamTime is the largest timestamp processed, in Unix milliseconds, 0 before the first record.
	StreamTime int64 `json:"streamTime"`
}

// SilentHost is a server that does not answer.
type SilentHost struct {
	Host string `json:"host"`
	// SilentMs is how long ago it answered last, in milliseconds, nil if it never did.
	SilentMs *int64 `json:"silentMs"`
	Reason   string `json:"reason"`
}

// DrainProgress is one line of the answer of POST /cluster/drain.
type DrainProgress struct {
	// Tasks are those the server still owns, Queries those it owns some of.
	Tasks   int `json:"tasks"`
	Queries int `json:"queries"`
	// Done says that it owns none: it may be stopped.
	Done bool `json:"done"`
	// Error is why it goes no further, empty otherwise. The server goes on draining unless it says that it does not.
	Error string `json:"error,omitempty"`
}

// DrainState is the answer of DELETE /cluster/drain.
type DrainState struct {
	Draining bool `json:"draining"`
}
