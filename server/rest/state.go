package rest

import (
	"net/http"

	"github.com/ksqlgo/ksqlgo/server/api"
)

func (s *Server) root(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/info", http.StatusTemporaryRedirect)
}

func (s *Server) info(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, api.ServerInfoResponse{KsqlServerInfo: s.cfg.Engine.Info()})
}

func (s *Server) healthcheck(w http.ResponseWriter, _ *http.Request) {
	h := s.cfg.Engine.Health()
	if !s.ready.Load() {
		h.ServerState = "INITIALIZING"
	}
	writeJSON(w, http.StatusOK, h)
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Metrics == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	s.cfg.Metrics.ServeHTTP(w, r)
}

func (s *Server) alive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct{}{})
}

// closeQuery answers POST /close-query.
func (s *Server) closeQuery(w http.ResponseWriter, r *http.Request) {
	var args api.CloseQueryArgs
	if err := s.readJSON(w, r, &args); err != nil {
		s.fail(w, err)
		return
	}
	if !s.cfg.Engine.CloseQuery(args.QueryID) {
		s.fail(w, api.NewError(api.CodeBadRequest, "No query with id %s", args.QueryID))
		return
	}
	w.WriteHeader(http.StatusOK)
}

// terminateCluster answers POST /ksql/terminate.
func (s *Server) terminateCluster(w http.ResponseWriter, r *http.Request) {
	var args api.ClusterTerminateRequest
	if err := s.readJSON(w, r, &args); err != nil {
		s.fail(w, err)
		return
	}
	entities, err := s.cfg.Engine.TerminateCluster(r.Context(), args.DeleteTopicList)
	if err != nil {
		s.fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, entities)
}

// statuses answers GET /status.
func (s *Server) statuses(w http.ResponseWriter, _ *http.Request) {
	out := api.CommandStatuses{CommandStatuses: api.Map[api.Status]{}}
	for id, st := range s.cfg.Engine.CommandStatuses() {
		out.CommandStatuses[id] = st.Status
	}
	writeJSON(w, http.StatusOK, out)
}

// status answers GET /status/{type}/{entity}/{action}; the entity may come with or without its back-quotes.
func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	kind, entity, action := r.PathValue("type"), r.PathValue("entity"), r.PathValue("action")
	all := s.cfg.Engine.CommandStatuses()
	for _, id := range []string{kind + "/" + entity + "/" + action, kind + "/`" + entity + "`/" + action} {
		if st, ok := all[id]; ok {
			writeJSON(w, http.StatusOK, st)
			return
		}
	}
	s.fail(w, api.NewError(api.CodeNotFound, "Command not found"))
}

func (s *Server) isValidProperty(w http.ResponseWriter, r *http.Request) {
	if err := s.cfg.Engine.CheckProperty(r.PathValue("name")); err != nil {
		s.fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, true)
}

func (s *Server) serverMetadata() api.ServerMetadata {
	i := s.cfg.Engine.Info()
	return api.ServerMetadata{
		Version: i.Version,
		ClusterID: api.ServerClusterID{Scope: api.ClusterScope{Clusters: api.Map[string]{
			"kafka-cluster": i.KafkaClusterID, "ksql-cluster": i.KsqlServiceID,
		}}},
	}
}

func (s *Server) metadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.serverMetadata())
}

func (s *Server) metadataID(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.serverMetadata().ClusterID)
}
