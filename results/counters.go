package results

import (
	"encoding/json"
	"fmt"
)

// BlockInfo is what a server said of itself at the end of a block, as its INFO has it: a line of counters.jsonl.
type BlockInfo struct {
	Point string            `json:"point"`
	Arm   string            `json:"arm"`
	Block int               `json:"block"`
	Info  map[string]string `json:"info"`
}

// BlockInfos reads counters.jsonl. A run whose servers say nothing has none.
func (r *Run) BlockInfos() ([]BlockInfo, error) {
	lines, err := r.Counters()
	if err != nil {
		return nil, err
	}
	var all []BlockInfo
	for _, line := range lines {
		var b BlockInfo
		if err := json.Unmarshal(line, &b); err != nil {
			return nil, fmt.Errorf("run %s: %s: %w", r.Dir, countersFile, err)
		}
		if len(b.Info) > 0 {
			all = append(all, b)
		}
	}
	return all, nil
}
