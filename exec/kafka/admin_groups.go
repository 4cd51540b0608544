package kafka

import "context"

// Groups lists the names of all consumer groups.
func (a *Admin) Groups(ctx context.Context) ([]string, error) {
	const op = "listing groups"
	var names []string
	err := retrying(ctx, op, func() error {
		listed, err := a.kadm.ListGroups(ctx)
		if err == nil {
			names = listed.Groups()
		}
		return err
	})
	return names, err
}
