package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

//go:embed *.yaml
var builtin embed.FS

// Load reads a scenario file, where nameOrPath has a slash or ends in .yaml or .yml, or else the built-in scenario of
// that name.
func Load(nameOrPath string, names Names) (*Scenario, error) {
	if !isPath(nameOrPath) {
		return loadBuiltin(nameOrPath, names)
	}
	data, err := readFile(nameOrPath)
	if err != nil {
		return nil, err
	}
	return Parse(nameOrPath, data, names)
}

func isPath(s string) bool {
	return strings.Contains(s, "/") || strings.HasSuffix(s, ".yaml") || strings.HasSuffix(s, ".yml")
}

var errNoFile = errors.New("no such file")

// readFile reads no more than it takes to know that a file is too long: /dev/zero is a path too.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w; without a slash and .yaml it would be a built-in scenario: %s",
			path, errNoFile, strings.Join(builtinNames(), ", "))
	}
	if err != nil {
		return nil, bare(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, bare(path, err)
	}
	return data, nil
}

// bare is err without the operation and the path that package os puts before it.
func bare(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

func loadBuiltin(name string, names Names) (*Scenario, error) {
	data, err := builtin.ReadFile(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("%s; the name of a file needs a slash or .yaml",
			unknown("scenario", name, builtinNames()))
	}
	return Parse("scenarios/"+name+".yaml", data, names)
}

func builtinNames() []string {
	files, err := builtin.ReadDir(".")
	if err != nil {
		panic("bug: built-in scenarios: " + err.Error())
	}
	s := make([]string, len(files)) // in alphabetical order, as ReadDir has them
	for i, f := range files {
		s[i] = strings.TrimSuffix(f.Name(), ".yaml")
	}
	return s
}

// Builtin lists the scenarios that Load knows by name, in alphabetical order.
func Builtin() []Info {
	var infos []Info
	for _, name := range builtinNames() {
		s, err := loadBuiltin(name, Names{})
		if err != nil {
			panic("bug: built-in scenario: " + err.Error())
		}
		infos = append(infos, Info{s.Name, s.About})
	}
	return infos
}

// Parse reads a scenario from data, which is the text of file; file is only named in errors.
func Parse(file string, data []byte, names Names) (*Scenario, error) {
	root, err := parseTree(data, "scenario", "scenario", func(line int) string { return fmt.Sprintf("%s:%d", file, line) })
	if err != nil {
		return nil, err
	}
	doc, err := newDocument(file+":1", root)
	if err != nil {
		return nil, err
	}
	s, err := resolve(doc, names)
	if err != nil {
		return nil, err
	}
	s.File, s.Source = file, string(data)
	return s, nil
}
