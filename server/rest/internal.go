package rest

import (
	"net/http"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// internal answers POST /heartbeat and POST /lag, which are for other servers. A lone server has none to listen to.
func (s *Server) internal(w http.ResponseWriter, _ *http.Request) {
	if s.cfg.HasInternal {
		s.fail(w, api.NewError(api.CodeInternalOnly, "Can't call internal endpoint on public listener"))
		return
	}
	writeJSON(w, http.StatusOK, api.OKResponse{IsOK: true})
}
