package exec

import "testing"

// Names of groups and internal topics, behind the service's prefix, and whose left-overs they are.
func TestWhoseLeftoverItIs(t *testing.T) {
	t.Parallel()
	ids := QueryIDs{
		Live:  map[string]bool{"CTAS_T_1": true, "CTAS_my-table_3": true, "CSAS_my_query_CTAS_T_7": true},
		Ended: map[string]bool{"CTAS_OLD_5": true, "CTAS_old-table_9": true, "CSAS_a_query_b_11": true},
	}
	for rest, want := range map[string]string{
		"CTAS_T_1": "",
		"CTAS_T_1-Aggregate-Aggregate-Materialize-changelog": "",
		"CTAS_my-table_3": "",
		"CTAS_my-table_3-Aggregate-Aggregate-Materialize-changelog": "",
		"CSAS_my_query_CTAS_T_7-Join-repartition":                   "",
		"CTAS_OLD_5": "CTAS_OLD_5",
		"CTAS_OLD_5-Aggregate-GroupBy-repartition":                       "CTAS_OLD_5",
		"CTAS_old-table_9-Aggregate-GroupBy-repartition":                 "CTAS_old-table_9",
		"CSAS_a_query_b_11-Join-repartition":                             "CSAS_a_query_b_11",
		"CTAS_UNKNOWN_13":                                                "CTAS_UNKNOWN_13",
		"CTAS_UNKNOWN_13-Aggregate-GroupBy-repartition":                  "CTAS_UNKNOWN_13",
		"other_query_CTAS_T_1":                                           "", // The service <id>query_other_.
		"other_query_CTAS_T_1-Aggregate-Aggregate-Materialize-changelog": "",
		"CTAS_OLD_query_CTAS_T_1":                                        "",
		"":                                                               "",
	} {
		if id, ok := ids.gone(rest); ok != (want != "") || ok && id != want {
			t.Errorf("%s: of %q, %v; want %q", rest, id, ok, want)
		}
	}
}
