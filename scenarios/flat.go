package scenarios

import (
	"errors"
	"fmt"
)

// Row is a key of a flat file with its value, as written but without quotes, and the place to blame for it, "file:line".
type Row struct{ Key, Value, At string }

// ReadFlat reads a YAML file of keys and single values, as strictly as scenarios are read. What the keys mean is the
// caller's to know. what is the kind of file, for errors.
func ReadFlat(path, what string) ([]Row, error) {
	data, err := readFile(path)
	if errors.Is(err, errNoFile) {
		return nil, fmt.Errorf("%s: %w", path, errNoFile)
	}
	if err != nil {
		return nil, err
	}
	return parseFlat(path, data, what)
}

func parseFlat(path string, data []byte, what string) ([]Row, error) {
	root, err := parseTree(data, what, what, func(line int) string { return fmt.Sprintf("%s:%d", path, line) })
	if err != nil || root == nil {
		return nil, err
	}
	if root.kind != table {
		return nil, fmt.Errorf("%s: a %s file is a table of keys, as in key: value, not %s", root.at, what, root.kind)
	}
	var rows []Row
	for _, row := range root.rows {
		if row.val.text == "null" { // a topology, not YAML's nothing
			row.val.kind = scalar
		}
		text, err := row.val.word()
		if err != nil {
			return nil, err
		}
		rows = append(rows, Row{row.key, text, row.at})
	}
	return rows, nil
}

// Unknown says that there is no such word, which one was probably meant, and which there are.
func Unknown(what, word string, have []string) string { return unknown(what, word, have) }
