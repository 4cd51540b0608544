package rest

import (
	"strconv"
	"strings"
)

// negotiate picks the supported media type that the Accept headers weigh highest; the first supported one when there is
// no Accept or a wildcard; "" when none fits.
func negotiate(accept []string, supported ...string) string {
	if len(accept) == 0 {
		return supported[0]
	}
	best, bestWeight := "", 0.0
	for _, header := range accept {
		for item := range strings.SplitSeq(header, ",") {
			media, params, _ := strings.Cut(item, ";")
			weight := quality(params)
			if weight <= bestWeight {
				continue
			}
			if m := match(strings.ToLower(strings.TrimSpace(media)), supported); m != "" {
				best, bestWeight = m, weight
			}
		}
	}
	return best
}

func match(media string, supported []string) string {
	if media == "*/*" || media == "" {
		return supported[0]
	}
	prefix, wild := strings.CutSuffix(media, "/*")
	for _, s := range supported {
		if s == media || wild && strings.HasPrefix(s, prefix+"/") {
			return s
		}
	}
	return ""
}

func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
			if q, err := strconv.ParseFloat(v, 64); err == nil {
				return q
			}
		}
	}
	return 1
}
