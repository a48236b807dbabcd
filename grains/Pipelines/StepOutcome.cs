using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What a step made.</summary>
internal sealed record StepOutcome
{
    public long RowsIn { get; init; }

    public long RowsOut { get; init; }

    public TableColumn[] Columns { get; init; } = [];

    public int Batches { get; init; }

    public byte[]? Sha256 { get; init; }

    public StepNote[] Notes { get; init; } = [];

    public string? Receipt { get; init; }

    public string? Watermark { get; init; }

    public double?[] Measures { get; init; } = [];

    public bool[] Kept { get; init; } = [];

    public bool IsPersonal { get; init; }

    /// <summary>What was fetched before the run's first step.</summary>
    public PinnedInput[] Pulled { get; init; } = [];

    public FileFormat? Format { get; init; }
}

/// <summary>Why a step made nothing.</summary>
/// <param name="IsTransient">The same may do later: a part of the hub did not answer.</param>
internal sealed record StepFault(LocalText Reason, bool IsTransient, StepNote[] Notes)
{
    public bool[] Kept { get; init; } = [];

    /// <summary>What was fetched before the run's first step.</summary>
    public PinnedInput[] Pulled { get; init; } = [];
}

/// <summary>A step cannot be done as it is asked for; the reason is for people.</summary>
internal sealed class StepException(LocalText reason, bool isTransient = false) : Exception(reason.In("en"))
{
    public LocalText Reason => reason;

    public bool IsTransient => isTransient;

    /// <summary>What is worth knowing besides.</summary>
    public StepNote[] Notes { get; init; } = [];

    /// <summary>Of a check: which of its rules are kept.</summary>
    public bool[] Kept { get; init; } = [];
}
