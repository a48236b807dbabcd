using DataHub.Catalog;

using Orleans.Concurrency;

namespace DataHub.Pipelines;

/// <summary>
/// A key of an agency for another host, with which its jobs fetch what that host does not give to everybody. It is sent to
/// that host only, and told to nobody again. Key: <see cref="PullKeys.Key"/>.
/// </summary>
[GrainInterfaceType("datahub.pull-key")]
public interface IPullKeyGrain : IGrainWithStringKey
{
    /// <summary>Stores the key, or puts another in its place: runs that fetch from now on use it. The same again changes nothing.</summary>
    /// <param name="caller">Who manages the agency.</param>
    /// <param name="host">To which it is sent, as <see cref="PullKeyInfo.Host"/>.</param>
    /// <param name="secret">What is sent.</param>
    [Alias("Put"), Repeatable]
    Task<PullKeyResult> PutAsync(Caller caller, string host, PullSecret secret);

    /// <summary>What is known of it, without the key itself.</summary>
    /// <param name="caller">Who manages the agency.</param>
    [Alias("Get"), AlwaysInterleave, Repeatable]
    Task<PullKeyResult> GetAsync(Caller caller);

    /// <summary>Deletes it: runs that name it fail until there is one again. Where there is none it is not found.</summary>
    /// <param name="caller">Who manages the agency.</param>
    [Alias("Delete"), Repeatable]
    Task<PullKeyResult> DeleteAsync(Caller caller);
}

/// <summary>Keys and limits of <see cref="IPullKeyGrain"/>.</summary>
public static class PullKeys
{
    /// <summary>Longest host and longest key, in characters.</summary>
    public const int MaxHost = 253 + 6, MaxSecret = 4_096;

    public static string Key(string agency, string name) => $"{agency}/{name}";
}

/// <param name="Text">Sent as <c>Authorization: Bearer</c> (RFC 6750, section 2.1: b64token), 1 to <see cref="PullKeys.MaxSecret"/> characters.</param>
[GenerateSerializer, Immutable, Alias("datahub.PullSecret")]
public sealed record PullSecret([property: Id(0)] string Text)
{
    /// <summary>Whatever prints a call has no key in it.</summary>
    public override string ToString() => "key";
}

/// <param name="Name">Its id, by which steps name it.</param>
/// <param name="Host">A name or address, with a port where it is not 443: the one place to which it is sent.</param>
/// <param name="Version">Counts how often it was put; the first is 1.</param>
/// <param name="Set">When it was put last.</param>
/// <param name="By">Who put it last, as <see cref="Caller.Subject"/>.</param>
[GenerateSerializer, Immutable, Alias("datahub.PullKeyInfo")]
public sealed record PullKeyInfo([property: Id(0)] string Name, [property: Id(1)] string Host, [property: Id(2)] int Version, [property: Id(3)] DateTimeOffset Set, [property: Id(4)] string By);

/// <param name="Key">After the call, of a deletion before it; null where there is none or it was refused.</param>
[GenerateSerializer, Immutable, Alias("datahub.PullKeyResult")]
public sealed record PullKeyResult([property: Id(0)] CatalogRefusal Refusal, [property: Id(1)] PullKeyInfo? Key, [property: Id(2)] LocalText? Detail);
