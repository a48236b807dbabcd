namespace DataHub.Pipelines;

/// <summary>What a message between the silo and its worker is.</summary>
internal enum SqlWorkerFrame : byte
{
    /// <summary>To the worker: limits, columns of the inputs, statements.</summary>
    Start = 1,

    /// <summary>To the worker: rows of an input.</summary>
    Input = 2,

    /// <summary>To the worker: all rows were sent.</summary>
    Loaded = 3,

    /// <summary>From the worker: every statement is allowed and fits its tables.</summary>
    Ready = 4,

    /// <summary>From the worker: columns of a statement's result.</summary>
    Opened = 5,

    /// <summary>From the worker: rows of a statement's result.</summary>
    Result = 6,

    /// <summary>From the worker, as its last: a refusal.</summary>
    Refused = 7,

    /// <summary>From the worker, as its last: what it used.</summary>
    Done = 8,
}
