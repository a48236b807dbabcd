using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Sharing;

/// <summary>
/// What of a dataset that is not open was given in a month, through an agreement or as values by right, and what may still be
/// given on what was allowed. Key: <c>{agreement}/{yyyy-MM}</c> (UTC), or <c>right:{indicator}/{yyyy-MM}</c>, which is in no report but in the audit log. Whoever gives takes an allowance first, which is stored before the first byte; what of it was used is told
/// afterwards. What was never told counts as given, and is marked so: a report may name more than was delivered, never less.
/// </summary>
[GrainInterfaceType("datahub.agreement-usage")]
public interface IAgreementUsageGrain : IGrainWithStringKey
{
    /// <summary>Takes an allowance. Only for the hub.</summary>
    [Alias("Take"), Repeatable]
    Task<AllowanceResult> TakeAsync(Caller caller, AllowanceRequest request);

    /// <summary>Notes what was used of allowances; those that are not known any more are as if used up. Only for the hub.</summary>
    [Alias("Settle"), Repeatable]
    Task SettleAsync(Caller caller, UsedAllowance[] used);

    /// <summary>Notes what nobody will tell any more. Only for the hub.</summary>
    [Alias("Sweep"), Repeatable]
    Task SweepAsync(Caller caller);

    /// <summary>The month as it stands now. Only for the hub; an agreement's parties ask the agreement.</summary>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<AgreementUsage> GetAsync(Caller caller);
}

/// <summary>What something is given by.</summary>
/// <param name="Id">Of the agreement, or <c>right:{indicator}</c>.</param>
/// <param name="Reference">For the record: agreement and version, or what gives the right.</param>
/// <param name="Version">Of the agreement; 0: by right.</param>
/// <param name="Provider">The dataset's publisher.</param>
/// <param name="Recipient">The agreement's other side; null: by right.</param>
/// <param name="RowsPerDay">Most rows of a UTC day; null: no limit.</param>
[GenerateSerializer, Immutable, Alias("datahub.AllowanceSource")]
public sealed record AllowanceSource(
    [property: Id(0)] string Id, [property: Id(1)] string Reference, [property: Id(2)] int Version, [property: Id(3)] string Provider, [property: Id(4)] string? Recipient, [property: Id(5)] string Dataset, [property: Id(6)] long? RowsPerDay)
{
    public static AllowanceSource Of(AgreementInForce agreement)
    {
        ArgumentNullException.ThrowIfNull(agreement);
        var terms = agreement.Terms;
        return new(agreement.Id, $"{agreement.Id} v{agreement.Version}", agreement.Version, terms.Provider, terms.Recipient, terms.Dataset, terms.Delivery.RowsPerDay);
    }
}

/// <summary>Who wants to give what.</summary>
/// <param name="Id">Chosen by whoever asks: a repeat is the same allowance.</param>
/// <param name="Rows">So many rows or values at least.</param>
/// <param name="Subject">To whom, as in the audit log.</param>
/// <param name="Purpose">For what, as he says; empty by right.</param>
[GenerateSerializer, Immutable, Alias("datahub.AllowanceRequest")]
public sealed record AllowanceRequest(
    [property: Id(0)] Guid Id, [property: Id(1)] long Rows, [property: Id(2)] AllowanceSource By, [property: Id(3)] string Subject, [property: Id(4)] string Purpose)
{
    /// <summary>So many answers at most.</summary>
    [Id(5)] public int Requests { get; init; }

    /// <summary>So many rows or values in them at most.</summary>
    [Id(6)] public long MostRows { get; init; }
}

/// <summary>So much may be given.</summary>
/// <param name="Requests">Answers; 0: nothing may be given, since the day's rows are used up.</param>
/// <param name="Rows">Rows or values in them.</param>
/// <param name="For">For so long from when it was asked for.</param>
/// <param name="Left">Where nothing may be given: how many are left of the day.</param>
[GenerateSerializer, Immutable, Alias("datahub.AllowanceResult")]
public sealed record AllowanceResult([property: Id(0)] int Requests, [property: Id(1)] long Rows, [property: Id(2)] TimeSpan For, [property: Id(3)] long Left);

/// <summary>What was used of an allowance, by operation.</summary>
[GenerateSerializer, Immutable, Alias("datahub.UsedAllowance")]
public sealed record UsedAllowance([property: Id(0)] Guid Id, [property: Id(1)] UsedOperation[] Operations);

/// <param name="Operation">One of <see cref="UsageOperations"/>.</param>
/// <param name="Object">What was read, such as <c>indicator:no2-hourly</c>.</param>
/// <param name="Watermark">Of the last answer; null where it named none.</param>
[GenerateSerializer, Immutable, Alias("datahub.UsedOperation")]
public sealed record UsedOperation(
    [property: Id(0)] string Operation, [property: Id(1)] string Object, [property: Id(2)] long Requests, [property: Id(3)] long Rows, [property: Id(4)] string? Watermark);

/// <summary>What was given through an agreement in a month.</summary>
/// <param name="Entries">By day, to whom, for what and by which operation.</param>
/// <param name="Open">Allowances that are out: what may be given on them, or was and is not told yet.</param>
[GenerateSerializer, Immutable, Alias("datahub.AgreementUsage")]
public sealed record AgreementUsage([property: Id(0)] UsageEntry[] Entries, [property: Id(1)] UsageEntry[] Open);

/// <param name="Day">UTC.</param>
/// <param name="Object">What was read; empty where an allowance was never told of.</param>
/// <param name="Requests">Answers.</param>
/// <param name="Rows">Rows or values in them.</param>
/// <param name="IsUpperBound">Nobody told what was given: at most this much, maybe nothing.</param>
[GenerateSerializer, Immutable, Alias("datahub.UsageEntry")]
public sealed record UsageEntry(
    [property: Id(0)] DateOnly Day, [property: Id(1)] int Version, [property: Id(2)] string Subject, [property: Id(3)] string Purpose, [property: Id(4)] string Operation, [property: Id(5)] string Object,
    [property: Id(6)] long Requests, [property: Id(7)] long Rows, [property: Id(8)] bool IsUpperBound);

/// <summary>How something was read through an agreement.</summary>
public static class UsageOperations
{
    public const string Rows = "rows", Values = "values", Latest = "latest", Changes = "changes", Explain = "explain", Diff = "diff", Evidence = "evidence";

    /// <summary>Of an allowance of which nobody told what it was used for.</summary>
    public const string Unknown = "unknown";
}
