package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/shardlab/shardlab/scenarios"
	"github.com/shardlab/shardlab/topologies"
)

// envPrefix begins the names of the environment variables that set options.
const envPrefix = "SHARDLAB_"

// configOption names the option that is the configuration file's own path. A file cannot set it.
const configOption = "config"

// given is a value that somebody has set, and where.
type given struct{ text, from string }

// optionFlags makes a flag of each option. They are strings: the option reads them, wherever they come from.
func optionFlags(options []topologies.Option) []cli.Flag {
	plain := topologies.Config{Topology: topologies.Names()[0]}
	s, err := plain.Resolve()
	if err != nil {
		panic("bug: " + err.Error())
	}
	plain = plain.WithDefaults()
	var flags []cli.Flag
	for _, o := range options {
		if o.Switch() {
			flags = append(flags, &cli.BoolFlag{Name: o.Name, Usage: o.About, HideDefault: true})
			continue
		}
		about := o.About
		if o.Words != nil && o.Name != "topology" {
			about += ": " + strings.Join(o.Words, ", ")
		}
		f := &cli.StringFlag{Name: o.Name, Usage: about, DefaultText: o.Show(&plain, &s)}
		switch {
		case o.Name == "topology":
			f.Aliases, f.DefaultText = []string{"t"}, ""
		case o.Preset:
			f.DefaultText = "the topology's own"
		}
		flags = append(flags, f)
	}
	return flags
}

// gather finds every option that is set: by a flag, else in the configuration file, else in the environment.
func gather(c *cli.Command, options []topologies.Option, env []string) (map[string]given, error) {
	set, file, err := fromEnvironment(options, env)
	if err != nil {
		return nil, err
	}
	if c.IsSet(configOption) {
		file = c.String(configOption)
	}
	if file != "" {
		if err := fromFile(set, options, file); err != nil {
			return nil, err
		}
	}
	for _, o := range options {
		if !c.IsSet(o.Name) {
			continue
		}
		text := c.String(o.Name)
		if o.Switch() {
			text = fmt.Sprint(c.Bool(o.Name))
		}
		set[o.Name] = given{text, "--" + o.Name}
	}
	return set, nil
}

// fromEnvironment reads the variables that begin with envPrefix; file is the one that names a configuration file.
func fromEnvironment(options []topologies.Option, env []string) (set map[string]given, file string, err error) {
	set = map[string]given{}
	names := []string{envName(configOption)}
	for _, o := range options {
		names = append(names, envName(o.Name))
	}
	for _, line := range env {
		name, text, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		at := slices.Index(names, name)
		switch {
		case at < 0:
			return nil, "", fmt.Errorf("environment: %s", scenarios.Unknown("variable", name, names))
		case at == 0:
			file = text
		default:
			set[options[at-1].Name] = given{text, name}
		}
	}
	return set, file, nil
}

func envName(option string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(option, "-", "_"))
}

// fromFile adds what a configuration file sets.
func fromFile(set map[string]given, options []topologies.Option, file string) error {
	rows, err := scenarios.ReadFlat(file, "configuration")
	if err != nil {
		return err
	}
	var keys []string
	for _, o := range options {
		keys = append(keys, o.Key())
	}
	for _, row := range rows {
		at := slices.Index(keys, row.Key)
		if at < 0 {
			return fmt.Errorf("%s: %s", row.At, scenarios.Unknown("key", row.Key, keys))
		}
		set[options[at].Name] = given{row.Value, row.At}
	}
	return nil
}

// apply makes a Config of what is set.
func apply(set map[string]given, options []topologies.Option) (c topologies.Config, err error) {
	for _, o := range options {
		g, ok := set[o.Name]
		if !ok {
			continue
		}
		if err := o.Set(&c, g.text); err != nil {
			if strings.HasPrefix(g.from, "--") {
				return c, fmt.Errorf("%s: %w", g.from, err)
			}
			return c, fmt.Errorf("%s: %s: %w", g.from, o.Key(), err)
		}
	}
	if c.Topology == "" {
		return c, fmt.Errorf("no topology; give --topology, with one of %s", strings.Join(topologies.Names(), ", "))
	}
	return c, nil
}

// printConfig shows every option with its value in effect and where that comes from.
func printConfig(w io.Writer, c topologies.Config, options []topologies.Option, set map[string]given) error {
	s, err := c.Resolve()
	if err != nil {
		return err
	}
	c = c.WithDefaults()
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, o := range options {
		value, from := o.Show(&c, &s), "default"
		if o.Preset {
			from = "topology preset"
		}
		if g, ok := set[o.Name]; ok {
			from = g.from
		}
		switch {
		case value == "":
			value = "-"
		case o.Secret:
			value = "(secret)"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\n", o.Key(), value, from)
	}
	return tw.Flush()
}
