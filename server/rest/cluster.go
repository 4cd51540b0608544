package rest

import (
	"net/http"

	"github.com/ksqlgo/ksqlgo/server/api"
)

func (s *Server) clusterStatus(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.cfg.Engine.ClusterStatus())
}

func (s *Server) cluster(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, s.cfg.Engine.Cluster(r.Context()))
}

// readiness answers GET /chc/ready: 200 from when the server has taken up its work. Later troubles of single queries do not
// take it back, since what balances load would then send nothing to any server; the end of the service does.
func (s *Server) readiness(w http.ResponseWriter, _ *http.Request) {
	r := api.Readiness{NotReady: []string{"The command log is being replayed."}}
	if s.ready.Load() {
		if s.tookUp.Load() && s.cfg.Engine.Refusal() == nil {
			writeJSON(w, http.StatusOK, struct{}{})
			return
		}
		r = s.cfg.Engine.Readiness()
	}
	if !r.Ready {
		writeJSON(w, http.StatusServiceUnavailable, r)
		return
	}
	s.tookUp.Store(true)
	writeJSON(w, http.StatusOK, struct{}{})
}

// drain answers POST /cluster/drain with a line of JSON whenever there is progress. It goes on when the client leaves.
func (s *Server) drain(w http.ResponseWriter, r *http.Request) {
	began := false
	tell := func(p api.DrainProgress) {
		line, err := api.Encode(p)
		if err != nil {
			s.cfg.Logger.Error("rest: a line cannot be encoded", "error", err)
			return
		}
		if !began {
			began = true
			w.Header().Set("Content-Type", api.MediaDelimited)
		}
		_, _ = w.Write(append(line, '\n'))
		_ = http.NewResponseController(w).Flush()
	}
	err := s.cfg.Engine.Drain(r.Context(), tell)
	switch {
	case err == nil || r.Context().Err() != nil:
	case !began:
		s.fail(w, err)
	default:
		tell(api.DrainProgress{Error: err.Error()})
	}
}

// endDrain answers DELETE /cluster/drain.
func (s *Server) endDrain(w http.ResponseWriter, _ *http.Request) {
	s.cfg.Engine.EndDrain()
	writeJSON(w, http.StatusOK, api.DrainState{})
}
