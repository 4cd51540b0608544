package numeric

import (
	"fmt"
	"math"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

const (
	earthRadiusKm    = 6371
	earthRadiusMiles = 3959
)

func geoDistance() *functions.Spec {
	plain := functions.NewScalar("(DOUBLE lat1, DOUBLE lon1, DOUBLE lat2, DOUBLE lon2) -> DOUBLE",
		functions.RefuseNull(functions.Slots(distance), 0, 1, 2, 3))
	units := functions.NewScalar("(DOUBLE lat1, DOUBLE lon1, DOUBLE lat2, DOUBLE lon2, STRING unit) -> DOUBLE",
		functions.RefuseNull(functions.Slots(distance), 0, 1, 2, 3))
	return spec("GEO_DISTANCE", "The great-circle distance of two points given in degrees, in km (default) or miles.",
		[]functions.Scalar{plain, units}, functions.Examples(
			"ROUND(GEO_DISTANCE(37.4439, -122.1663, 51, 0), 3)", "8682.459",
			"ROUND(GEO_DISTANCE(37.4439, -122.1663, 51, 0, 'miles'), 3)", "5395.363",
			"GEO_DISTANCE(91, 0, 0, 0)", "error: latitude",
			"GEO_DISTANCE(1, 0, 0, 0, 'ells')", "error: unit",
			"GEO_DISTANCE(CAST(NULL AS DOUBLE), 0, 0, 0)", "error: must not be null",
		))
}

func distance(args []types.Slot) (types.Slot, error) {
	lat1, lon1, lat2, lon2 := args[0].Double(), args[1].Double(), args[2].Double(), args[3].Double()
	if math.Abs(lat1) > 90 || math.Abs(lat2) > 90 || math.Abs(lon1) > 180 || math.Abs(lon2) > 180 {
		return types.NullSlot, fmt.Errorf("valid latitude values for GeoDistance function are in the range of -90 to 90 and longitude values are in the range of -180 to +180")
	}
	radius := float64(earthRadiusKm)
	if len(args) > 4 && !args[4].Null {
		var err error
		if radius, err = radiusIn(args[4].Text()); err != nil {
			return types.NullSlot, err
		}
	}
	rad := func(deg float64) float64 { return deg / 180 * math.Pi }
	haversine := func(x float64) float64 { s := math.Sin(x / 2); return s * s }
	a := haversine(rad(lat2-lat1)) + haversine(rad(lon2-lon1))*math.Cos(rad(lat1))*math.Cos(rad(lat2))
	return types.DoubleSlot(2 * math.Asin(math.Sqrt(a)) * radius), nil
}

func radiusIn(unit string) (float64, error) {
	switch strings.ToLower(strings.TrimSpace(unit)) {
	case "", "km", "kilometer", "kilometers", "kilometre", "kilometres":
		return earthRadiusKm, nil
	case "mi", "mile", "miles":
		return earthRadiusMiles, nil
	}
	return 0, fmt.Errorf("GeoDistance function units parameter must be one of km or miles: the unit %q is unknown", unit)
}
