from farm.cluster import names


def test_a_runs_and_a_queues_subjects_overlap_where_they_meet() -> None:
    run, queue = names.new_token(), "q" * 24
    subject = names.job_subject(queue, run).split(".")
    for pattern in (names.jobs_of_queue(queue), names.jobs_of_run(run)):
        parts = pattern.split(".")
        assert len(parts) == len(subject)
        assert all(a in ("*", b) for a, b in zip(parts, subject, strict=True))
    assert ".".join(subject[:2]) == names.JOB_SUBJECTS


def test_tokens_are_as_messages_want_them_and_none_comes_twice() -> None:
    tokens = {names.new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(names.TOKEN.fullmatch(each) for each in tokens)


def test_an_image_in_the_store_is_one_of_its_runs_and_has_its_name_alone() -> None:
    run = names.new_token()
    first, second = names.new_object(run), names.new_object(run)
    assert first != second
    *base, star = names.objects_of_run(run).split(".")
    assert (base, star) == (names.object_subject(first).split(".")[:-1], "*")
