using System.Collections.Concurrent;

namespace DataHub.Catalog;

/// <summary>What a checked token or a sign-in says of somebody.</summary>
/// <param name="Issuer">The name that the configuration gives the issuer: an id.</param>
/// <param name="Subject">The issuer's own word for the person or machine (<c>sub</c>).</param>
/// <param name="Name">For people; null where the issuer tells none.</param>
/// <param name="Groups">Groups of the hub, <c>{agency}/{group}</c>, that the issuer's claims mean by configuration.</param>
internal sealed record PersonClaims(string Issuer, string Subject, string? Name, string[] Groups);

/// <summary>Asks which roles somebody holds who has signed in, and remembers the answer for a moment (design I7).</summary>
/// <param name="grains">The cluster.</param>
/// <param name="time">Clock of the lease.</param>
internal sealed class PeopleRing(IGrainFactory grains, TimeProvider time)
{
    private const int MaxRemembered = 10_000;

    private readonly ConcurrentDictionary<(string Person, string Groups), (Caller Caller, long Asked)> _remembered = new();

    /// <summary>The caller that somebody is now. Roles that were revoked are gone after the lease (<see cref="KeyRing.Lease"/>).</summary>
    /// <exception cref="ArgumentException">Issuer or subject cannot be a person: see <see cref="Subjects.IsPerson"/>.</exception>
    public async ValueTask<Caller> FindAsync(PersonClaims claims)
    {
        var person = Subjects.Person(claims.Issuer, claims.Subject);
        if (!Subjects.IsPerson(person)) throw new ArgumentException("the issuer's subject is empty, too long or has control characters", nameof(claims));
        var key = (person, string.Join('\n', claims.Groups));
        if (_remembered.TryGetValue(key, out var known) && time.GetElapsedTime(known.Asked) < KeyRing.Lease) return known.Caller;

        // The lease begins when the question is put: the answer may be that old.
        var asked = time.GetTimestamp();
        var caller = await grains.GetGrain<IPersonGrain>(person).ResolveAsync(Caller.Hub, claims.Groups, claims.Name);
        if (_remembered.Count >= MaxRemembered) Forget();
        _remembered[key] = (caller, asked);
        return caller;
    }

    private void Forget()
    {
        foreach (var (key, known) in _remembered)
        {
            if (time.GetElapsedTime(known.Asked) >= KeyRing.Lease) _remembered.TryRemove(key, out _);
        }

        if (_remembered.Count >= MaxRemembered) _remembered.Clear();
    }
}
