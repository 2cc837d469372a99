package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/term"
)

// patience is how long the demo waits for what it expects when nobody watches.
const patience = 2 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once

	interactive := term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
	if err := run(ctx, newNarrator(os.Stdout), interactive); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

// run is the whole demo, from a cluster to the verdict.
func run(ctx context.Context, say *narrator, interactive bool) error {
	before := goleak.IgnoreCurrent()
	cluster, err := findCluster(ctx, say)
	if err != nil {
		return err
	}
	stage, err := newStage(ctx, cluster, say)
	if err != nil {
		return errors.Join(err, cluster.close())
	}
	health, err := play(ctx, stage, interactive)
	given := stage.leaseIsGivenUp()
	stage.leave()
	err = errors.Join(err, cluster.close())
	checks := append(stage.facts.checks(),
		check{"the health page said that the program was ready", health},
		check{"the lease was given up at the end", given},
		check{"no goroutine is left", goleak.Find(before)})
	return errors.Join(err, say.verdict(checks))
}

// play runs the controller and the scenario. It returns what the health page said.
func play(ctx context.Context, stage *stage, interactive bool) (health, err error) {
	stop := stage.start()
	err = stage.createCronTabs(ctx)
	if err == nil {
		err = stage.watchUntilOver(ctx, interactive)
	}
	health = stage.askHealth(context.WithoutCancel(ctx))
	err = errors.Join(err, stage.deleteCronTabs())
	stage.say.line("demo", "stopping the controller")
	err = errors.Join(err, stop())
	stage.summary()
	return health, err
}
