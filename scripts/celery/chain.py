"""What a user would build instead: a chain of four Celery tasks a job, one queue and one worker a stage.

As durable as Celery can be: quorum queues, persistent messages with publisher confirms, late
acknowledgement, tasks of lost workers given back. Each task reads the job's cancel flag and moves its
progress in Redis, and does nothing else: no messages are stored, nothing is extracted.

    celery -A chain worker -Q STAGE     runs a stage
    python chain.py JOBS ALONE          measures, prints one JSON object
"""

import json
import os
import statistics
import sys
import time
import uuid

import redis
from celery import Celery, chain
from kombu import Exchange, Queue

STAGES = ["fetching_messages", "extracting_facts", "building_graph", "generating_wiki"]

app = Celery("chain", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
exchange = Exchange("chain", type="direct", durable=True)
app.conf.update(
    task_queues=[
        Queue(f"chain.{stage}", exchange, routing_key=f"chain.{stage}", durable=True,
              queue_arguments={"x-queue-type": "quorum"})
        for stage in STAGES
    ],
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_default_delivery_mode="persistent",
    task_ignore_result=True,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
    worker_detect_quorum_queues=True,
    # A worker has four threads.
    worker_prefetch_multiplier=32,
)
live = redis.Redis.from_url(os.environ["BACKEND"])


def stage_task(number, stage):
    @app.task(name=stage)
    def work(job):
        row = f"job:{job}"
        if live.hget(row, "cancelled"):
            return job
        live.hset(row, mapping={"stage": stage, "percentage": 25 * (number + 1)})
        if number + 1 == len(STAGES):
            live.hset(row, mapping={"status": "completed"})
            live.rpush("ended", json.dumps([job, time.time()]))
        return job

    return work


TASKS = [stage_task(number, stage) for number, stage in enumerate(STAGES)]


def trigger():
    job = uuid.uuid4().hex
    live.hset(f"job:{job}", mapping={"status": "queued", "percentage": 0})
    signatures = [task.s() if number else task.s(job) for number, task in enumerate(TASKS)]
    for stage, signature in zip(STAGES, signatures):
        signature.set(queue=f"chain.{stage}")
    chain(*signatures).apply_async()


def ended(count):
    deadline = time.time() + 300
    while live.llen("ended") < count:
        if time.time() > deadline:
            sys.exit(f"only {live.llen('ended')} of {count} chains ended")
        time.sleep(0.001)
    return [json.loads(entry)[1] for entry in live.lrange("ended", 0, -1)]


def alone():
    live.delete("ended")
    begun = time.time()
    trigger()
    return (ended(1)[0] - begun) * 1000


def together(jobs):
    live.delete("ended")
    begun = time.time()
    for _ in range(jobs):
        trigger()
    return jobs / (max(ended(jobs)) - begun)


if __name__ == "__main__":
    jobs, single = int(sys.argv[1]), int(sys.argv[2])
    latencies = [alone() for _ in range(single)][10:]
    print(json.dumps({
        "jobs": jobs,
        "jobs_per_second": round(together(jobs), 1),
        "idle_p50_milliseconds": round(statistics.median(latencies), 1),
    }))
