package topologies

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shardlab/shardlab/server/command"
)

// Option is one thing that can be set, under one name from a flag (--lock-scope), a configuration file (lock_scope:), the
// environment (SHARDLAB_LOCK_SCOPE) or a scenario.
type Option struct {
	Name   string   // lower case, words joined by hyphens
	Kind   string   // for people: what to write
	Words  []string // all that a word may be; nil for other kinds
	About  string   // one line
	Preset bool     // the default is the topology's
	Secret bool     // the value is not shown

	// Set reads the value and stores it in c. Errors say what is wrong with the text, not where it came from.
	Set func(c *Config, text string) error
	// Show is the value in effect: c is what WithDefaults returned, s what Resolve did. "" is nothing, or that the
	// topology has no such thing.
	Show func(c *Config, s *Settings) string
}

// Key is the option's name in configuration files, scenarios and INFO.
func (o Option) Key() string { return strings.ReplaceAll(o.Name, "-", "_") }

// Set stores the value of the option of that key.
func (c *Config) Set(key, text string) error {
	for _, o := range Options() {
		if o.Key() == key {
			return o.Set(c, text)
		}
	}
	return fmt.Errorf("there is no option %s", key)
}

// Switch reports whether the option is a switch: a flag without a value turns it on.
func (o Option) Switch() bool { return o.Kind == kindSwitch }

// Kinds of options.
const (
	kindWord     = "word"
	kindText     = "text"
	kindCount    = "number"
	kindSize     = "size"
	kindDuration = "duration"
	kindSwitch   = "switch"
)

func (o Option) preset() Option { o.Preset = true; return o }
func (o Option) secret() Option { o.Secret = true; return o }

// shown replaces what the option shows by what came of it.
func (o Option) shown(by func(s *Settings) string) Option {
	o.Show = func(_ *Config, s *Settings) string { return by(s) }
	return o
}

// WordOption is one of several words.
func WordOption(name, about string, words []string, at func(*Config) *string) Option {
	o := textOption(name, about, at)
	o.Kind, o.Words = kindWord, words
	o.Set = func(c *Config, text string) (err error) {
		if text == "" {
			return fmt.Errorf("is empty; have %s", strings.Join(words, ", "))
		}
		if !slices.Contains(words, text) {
			return fmt.Errorf("unknown %s %q; have %s", strings.ReplaceAll(name, "-", " "), text, strings.Join(words, ", "))
		}
		*at(c) = text
		return nil
	}
	return o
}

func textOption(name, about string, at func(*Config) *string) Option {
	return Option{Name: name, Kind: kindText, About: about,
		Set:  func(c *Config, text string) error { *at(c) = text; return nil },
		Show: func(c *Config, _ *Settings) string { return *at(c) },
	}
}

func switchOption(name, about string, at func(*Config) *bool) Option {
	return Option{Name: name, Kind: kindSwitch, About: about,
		Set: func(c *Config, text string) (err error) {
			if *at(c), err = strconv.ParseBool(text); err != nil {
				return fmt.Errorf("%q is neither true nor false", text)
			}
			return nil
		},
		Show: func(c *Config, _ *Settings) string { return strconv.FormatBool(*at(c)) },
	}
}

// countOption is a whole number of at least 1.
func countOption(name, about string, at func(*Config) *int) Option {
	return Option{Name: name, Kind: kindCount, About: about,
		Set: func(c *Config, text string) error {
			n, err := strconv.Atoi(text)
			switch {
			case err != nil:
				return fmt.Errorf("%q is not a whole number", text)
			case n < 1:
				return fmt.Errorf("%d is less than 1", n)
			}
			*at(c) = n
			return nil
		},
		Show: func(c *Config, _ *Settings) string {
			if *at(c) == 0 {
				return ""
			}
			return strconv.Itoa(*at(c))
		},
	}
}

// sizeOption is a number of bytes from 0 to most.
func sizeOption[N int | int64](name, about string, most N, at func(*Config) *N) Option {
	return Option{Name: name, Kind: kindSize, About: about,
		Set: func(c *Config, text string) error {
			n, err := parseSize(text)
			if err == nil && n > int64(most) {
				err = fmt.Errorf("%s is more than %d bytes", text, most)
			}
			if err == nil {
				*at(c) = N(n)
			}
			return err
		},
		Show: func(c *Config, _ *Settings) string { return strconv.FormatInt(int64(*at(c)), 10) },
	}
}

// DurationOption is a time of at least 0.
func DurationOption(name, about string, at func(*Config) *time.Duration) Option {
	return Option{Name: name, Kind: kindDuration, About: about,
		Set: func(c *Config, text string) error {
			d, err := time.ParseDuration(text)
			if err != nil || d < 0 {
				return fmt.Errorf("%q is not a duration; write a number with ms, s, m or h, as in 300s", text)
			}
			*at(c) = d
			return nil
		},
		Show: func(c *Config, _ *Settings) string { return at(c).String() },
	}
}

// parseSize reads bytes with Redis's units (kb, mb and gb are powers of 1024; k, m and g of 1000), or with KiB, MiB or GiB.
func parseSize(text string) (int64, error) {
	redis := strings.NewReplacer("KiB", "kb", "MiB", "mb", "GiB", "gb").Replace(text)
	n, ok := command.ParseMemory(redis)
	if !ok || text == "" || text[0] < '0' || text[0] > '9' {
		return 0, fmt.Errorf("%q is not a size; write bytes, with KiB, MiB, GiB or Redis's kb, mb, gb or without, as in 512MiB", text)
	}
	return n, nil
}
