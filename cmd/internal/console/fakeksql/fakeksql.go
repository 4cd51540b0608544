// Package fakeksql is a server that speaks ksqlDB's REST contract with canned
// answers, for tests of consoles and clients.
package fakeksql

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// Server is the fake. Its answers may be changed while it runs.
type Server struct {
	*httptest.Server

	mu       sync.Mutex
	requests []api.KsqlRequest // those of /ksql and /query, without SHOW and DESCRIBE of completion
	sources  []api.SourceDescription
	tokens   []string // the consistency tokens of requests, "none" where there was no such header
	sequence int64
	left     chan struct{} // a push query's client went away
}

// New starts a server with one stream, ORDERS, and one table, USERS. The caller
// closes it.
//
//   - CREATE, DROP, INSERT: a command status with a new sequence number
//   - SHOW and DESCRIBE: the sources
//   - a statement with the word BAD: a statement error at that word
//   - SELECT … EMIT CHANGES: rows 1, 2, 3 and then nothing more; with the word
//     QUIET no rows at all; with LIMIT n rows 1 to n and the end
//   - SELECT: two rows and the end
//   - PRINT: two records and then nothing more, or the end with LIMIT
//   - with a consistency token in the request, even an empty one: INSERT answers with the token "written", SELECT with "read"
//   - properties that start with "ksql.service" may not be set
func New() *Server {
	s := &Server{left: make(chan struct{}, 100)}
	field := func(name, sqlType string) api.FieldInfo {
		return api.FieldInfo{Name: name, Schema: api.SchemaInfo{Type: sqlType}}
	}
	s.sources = []api.SourceDescription{
		{Name: "ORDERS", Type: "STREAM", Topic: "orders", KeyFormat: "KAFKA", ValueFormat: "JSON", Fields: []api.FieldInfo{field("ORDER_ID", "BIGINT"), field("AMOUNT", "DOUBLE")}},
		{Name: "USERS", Type: "TABLE", Topic: "users", KeyFormat: "KAFKA", ValueFormat: "JSON", Fields: []api.FieldInfo{field("USER_ID", "STRING")}},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /info", s.info)
	mux.HandleFunc("GET /is_valid_property/{name}", s.validProperty)
	mux.HandleFunc("POST /ksql", s.ksql)
	mux.HandleFunc("POST /query", s.query)
	s.Server = httptest.NewServer(mux)
	return s
}

// Requests are the bodies received so far, in order. Questions of completion
// are not among them.
func (s *Server) Requests() []api.KsqlRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]api.KsqlRequest(nil), s.requests...)
}

// Tokens are the consistency tokens of Requests, "none" where there was no such header.
func (s *Server) Tokens() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.tokens...)
}

// SQL are the texts of Requests.
func (s *Server) SQL() []string {
	var out []string
	for _, r := range s.Requests() {
		out = append(out, *r.SQL)
	}
	return out
}

// Left receives once for each push query whose client went away.
func (s *Server) Left() <-chan struct{} { return s.left }

func (s *Server) info(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, api.ServerInfoResponse{KsqlServerInfo: api.ServerInfo{
		Version: "7.9.0", KafkaClusterID: "fake", KsqlServiceID: "default_", ServerStatus: "RUNNING",
	}})
}

func (s *Server) validProperty(w http.ResponseWriter, r *http.Request) {
	if name := r.PathValue("name"); strings.HasPrefix(name, "ksql.service") {
		answer(w, http.StatusBadRequest, api.NewError(api.CodeBadRequest,
			"One or more properties overrides set locally are prohibited by the KSQL server (use UNSET to reset their default value): [%s]", name))
		return
	}
	answer(w, http.StatusOK, true)
}

func (s *Server) ksql(w http.ResponseWriter, r *http.Request) {
	request, ok := s.receive(w, r)
	if !ok {
		return
	}
	entities := api.Entities{}
	for line := range strings.SplitSeq(*request.SQL, ";") {
		statement := strings.TrimSpace(line)
		if statement == "" {
			continue
		}
		if failed := s.refuse(*request.SQL, statement, entities); failed != nil {
			answer(w, http.StatusBadRequest, failed)
			return
		}
		if strings.HasPrefix(statement, "INSERT") && len(r.Header.Values(api.HeaderConsistencyToken)) > 0 {
			w.Header().Set(api.HeaderConsistencyToken, "written")
		}
		if e := s.execute(statement); e != nil {
			entities = append(entities, e)
		}
	}
	answer(w, http.StatusOK, entities)
}

// receive reads a request and keeps it unless it is a question of completion.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (api.KsqlRequest, bool) {
	var request api.KsqlRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil || request.SQL == nil {
		answer(w, http.StatusBadRequest, api.NewError(api.CodeBadRequest, "%q field must be populated", "ksql"))
		return request, false
	}
	switch *request.SQL {
	case "DESCRIBE STREAMS;", "DESCRIBE TABLES;", "SHOW TOPICS;", "SHOW QUERIES;", "SHOW TYPES;", "SHOW FUNCTIONS;", "SHOW PROPERTIES;":
	default:
		s.mu.Lock()
		s.requests = append(s.requests, request)
		token := "none"
		if list := r.Header.Values(api.HeaderConsistencyToken); len(list) > 0 {
			token = list[0]
		}
		s.tokens = append(s.tokens, token)
		s.mu.Unlock()
	}
	return request, true
}

// refuse answers statements with the word BAD.
func (s *Server) refuse(text, statement string, done api.Entities) *api.StatementError {
	if !strings.Contains(statement, "BAD") {
		return nil
	}
	before := text[:strings.Index(text, "BAD")]
	line := strings.Count(before, "\n") + 1
	column := len(before) - strings.LastIndex(before, "\n")
	failed := api.NewStatementError(statement+";", fmt.Sprintf("line %d:%d: Syntax Error\nBAD is not allowed here", line, column))
	failed.Entities = done
	return failed
}

func (s *Server) execute(statement string) api.Entity {
	base := api.Base{StatementText: statement + ";"}
	upper := strings.ToUpper(statement)
	switch {
	case strings.HasPrefix(upper, "INSERT"):
		return nil
	case upper == "SHOW STREAMS":
		return &api.StreamsList{Base: base, Streams: s.list("STREAM")}
	case upper == "SHOW TABLES":
		return &api.TablesList{Base: base, Tables: s.list("TABLE")}
	case upper == "DESCRIBE STREAMS":
		return &api.SourceDescriptionList{Base: base, SourceDescriptions: s.describe("STREAM")}
	case upper == "DESCRIBE TABLES":
		return &api.SourceDescriptionList{Base: base, SourceDescriptions: s.describe("TABLE")}
	case upper == "SHOW TOPICS":
		return &api.KafkaTopicsList{Base: base, Topics: []api.KafkaTopicInfo{{Name: "orders-topic", ReplicaInfo: []int{1}}}}
	case upper == "SHOW QUERIES":
		return &api.Queries{Base: base}
	case upper == "SHOW TYPES":
		return &api.TypeList{Base: base}
	case upper == "SHOW FUNCTIONS":
		return &api.FunctionNameList{Base: base, Functions: []api.SimpleFunctionInfo{{Name: "ABS", Type: "SCALAR", Category: "MATHEMATICAL"}}}
	case upper == "SHOW PROPERTIES":
		return &api.PropertiesList{Base: base, Properties: []api.Property{{Name: "auto.offset.reset", Editable: true}}}
	}
	command := "create"
	if strings.HasPrefix(upper, "DROP") {
		command = "drop"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sequence++
	return &api.CommandStatusEntity{
		Base: base, CommandID: "stream/`X`/" + command, CommandSequenceNumber: s.sequence,
		CommandStatus: api.CommandStatus{Status: api.StatusSuccess, Message: "Stream created"},
	}
}

func (s *Server) list(kind string) []api.SourceInfo {
	var out []api.SourceInfo
	for _, d := range s.describe(kind) {
		out = append(out, api.SourceInfo{Type: kind, Name: d.Name, Topic: d.Topic, KeyFormat: d.KeyFormat, ValueFormat: d.ValueFormat})
	}
	return out
}

func (s *Server) describe(kind string) []api.SourceDescription {
	var out []api.SourceDescription
	for _, d := range s.sources {
		if d.Type == kind {
			out = append(out, d)
		}
	}
	return out
}

func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	request, ok := s.receive(w, r)
	if !ok {
		return
	}
	text := strings.ToUpper(strings.TrimSpace(*request.SQL))
	if failed := s.refuse(*request.SQL, *request.SQL, nil); failed != nil {
		answer(w, http.StatusBadRequest, failed)
		return
	}
	limit := 0
	if _, after, found := strings.Cut(text, "LIMIT "); found {
		_, _ = fmt.Sscanf(after, "%d", &limit)
	}
	switch {
	case strings.HasPrefix(text, "PRINT"):
		send(w, "Key format: KAFKA_INT\nValue format: JSON\n")
		send(w, "rowtime: 2024/05/01 12:30:00.000 Z, key: 1, value: {\"A\":1}, partition: 0\n\n")
		send(w, "rowtime: 2024/05/01 12:30:00.000 Z, key: 2, value: {\"A\":2}, partition: 0\n")
		if limit == 0 {
			s.wait(r)
		}
	case strings.Contains(text, "EMIT"):
		s.push(w, r, text, limit)
	default:
		end := "]"
		if len(r.Header.Values(api.HeaderConsistencyToken)) > 0 {
			end = ",\n{\"consistencyToken\":{\"consistencyToken\":\"read\"}}]"
		}
		send(w, "[{\"header\":{\"queryId\":\"query_1\",\"schema\":\"`ORDER_ID` BIGINT KEY, `AMOUNT` DOUBLE\"}},\n"+
			"{\"row\":{\"columns\":[1,1.5]}},\n{\"row\":{\"columns\":[2,10.0]}}"+end)
	}
}

func (s *Server) push(w http.ResponseWriter, r *http.Request, text string, limit int) {
	send(w, "[{\"header\":{\"queryId\":\"transient_ORDERS_1\",\"schema\":\"`ORDER_ID` BIGINT, `AMOUNT` DOUBLE\"}},\n")
	rows := 3
	if limit > 0 {
		rows = limit
	}
	if strings.Contains(text, "QUIET") {
		rows = 0
	}
	for i := range rows {
		send(w, fmt.Sprintf("{\"row\":{\"columns\":[%d,%d.5]}},\n", i+1, i+1))
	}
	if limit > 0 {
		send(w, `{"finalMessage":"Limit Reached"}]`)
		return
	}
	s.wait(r)
}

// wait holds the answer open until the client goes.
func (s *Server) wait(r *http.Request) {
	<-r.Context().Done()
	s.left <- struct{}{}
}

func send(w http.ResponseWriter, text string) {
	_, _ = io.WriteString(w, text)
	w.(http.Flusher).Flush()
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", api.MediaJSON)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
