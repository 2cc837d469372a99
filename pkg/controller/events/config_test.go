package events

import (
	"strings"
	"testing"
	"time"
)

func TestConfigErrorsNameTheField(t *testing.T) {
	valid := Config{Client: newServer(), Controller: "example.com/tester"}
	if _, err := New(valid); err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(*Config){
		"Client":         func(c *Config) { c.Client = nil },
		"Controller":     func(c *Config) { c.Controller = "" },
		"Controller is":  func(c *Config) { c.Controller = "no name!" },
		"Instance":       func(c *Config) { c.Instance = strings.Repeat("x", 129) },
		"Window":         func(c *Config) { c.Window = -1 },
		"UpdateInterval": func(c *Config) { c.UpdateInterval = -1 },
		"SimilarWindow":  func(c *Config) { c.SimilarWindow = -1 },
		"Refill":         func(c *Config) { c.Refill = -1 },
		"Buffer":         func(c *Config) { c.Buffer = -1 },
		"Memory":         func(c *Config) { c.Memory = -1 },
		"RequestTimeout": func(c *Config) { c.RequestTimeout = -1 },
		"MinBackoff":     func(c *Config) { c.MinBackoff = -1 },
		"MaxBackoff":     func(c *Config) { c.MinBackoff, c.MaxBackoff = 2*time.Second, time.Second },
		"RetryFor":       func(c *Config) { c.RetryFor = -1 },
	}
	for field, spoil := range tests {
		t.Run(field, func(t *testing.T) {
			config := valid
			spoil(&config)
			if _, err := New(config); err == nil || config.Validate() == nil || !strings.Contains(err.Error(), "Config."+field) {
				t.Errorf("the error is %v, want it to name %s", err, field)
			}
		})
	}
}
