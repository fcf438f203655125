package results

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Latest is the name of the newest run.
const Latest = "latest"

// List returns the ids of the runs under root, oldest first. A root that is not there has none.
func List(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var ids []string
	for _, e := range entries { // in order of name, which begins with the time
		if isRun(filepath.Join(root, e.Name())) {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

// isRun reports whether dir has a manifest. The package's own source folder in a checkout has none.
func isRun(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, manifestFile))
	return err == nil && info.Mode().IsRegular()
}

// find resolves what Open takes to a directory. A path comes before an id of the same spelling.
func find(root, dirOrID string) (string, error) {
	if dirOrID != "" && isRun(dirOrID) {
		return filepath.Clean(dirOrID), nil
	}
	ids, err := List(root)
	if err != nil {
		return "", err
	}
	var matches []string
	switch {
	case dirOrID == "":
	case dirOrID == Latest && len(ids) > 0:
		id, err := latest(root, ids)
		return filepath.Join(root, id), err
	case slices.Contains(ids, dirOrID):
		return filepath.Join(root, dirOrID), nil
	default:
		for _, id := range ids {
			if strings.HasPrefix(id, dirOrID) {
				matches = append(matches, id)
			}
		}
	}
	switch len(matches) {
	case 1:
		return filepath.Join(root, matches[0]), nil
	case 0:
		return "", notFound(root, dirOrID, ids)
	}
	return "", fmt.Errorf("%d runs begin so: %s; use more of the id", len(matches), some(matches))
}

// latest is the run that started last. Names tell it to the second; the manifests of that second tell the rest.
func latest(root string, ids []string) (string, error) {
	last := ids[len(ids)-1]
	second := last[:min(len(last), len(idTime))]
	best := last
	m, err := readManifest(filepath.Join(root, last))
	if err != nil {
		return "", err
	}
	for _, id := range ids {
		if id == last || !strings.HasPrefix(id, second) {
			continue
		}
		other, err := readManifest(filepath.Join(root, id))
		if err != nil {
			return "", err
		}
		if other.Started.After(m.Started) {
			best, m = id, other
		}
	}
	return best, nil
}

// notFound says what there is instead: the runs under root, or the runs in the directory that was named.
func notFound(root, dirOrID string, ids []string) error {
	if info, err := os.Stat(dirOrID); dirOrID != "" && err == nil {
		if !info.IsDir() {
			return errors.New("it is a file; name the directory of a run")
		}
		inside, err := List(dirOrID)
		if err == nil && len(inside) > 0 {
			return fmt.Errorf("no %s in it, but runs: %s; name one of them", manifestFile, some(inside))
		}
		return fmt.Errorf("no %s in it: it is not the directory of a run: %w", manifestFile, fs.ErrNotExist)
	}
	if len(ids) == 0 {
		return fmt.Errorf("no such directory, and there are no runs in %s: %w", root, fs.ErrNotExist)
	}
	return fmt.Errorf("no such run; %s has %s: %w", root, some(ids), fs.ErrNotExist)
}

// some lists ids, newest first, and no more than fit on a line or two.
func some(ids []string) string {
	const most = 5
	shown := slices.Clone(ids)
	slices.Reverse(shown)
	if len(shown) <= most {
		return strings.Join(shown, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(shown[:most], ", "), len(ids)-most)
}
