using System.Globalization;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>What a run pins beside its inputs, so that it gives the same whenever it is repeated: versions of keys and of area systems.</summary>
internal sealed record RunPins(PinnedKey[] Keys, PinnedAreas[] Areas)
{
    /// <summary>What steps of a definition need and is not there.</summary>
    /// <param name="hosts">From which files may be fetched.</param>
    public static async Task<JobProblem[]> ProblemsAsync(IGrainFactory grains, JobSpec spec, string hosts)
    {
        var problems = new List<JobProblem>();
        for (var i = 0; i < spec.Steps.Length; i++)
        {
            var at = $"steps[{i.ToString(CultureInfo.InvariantCulture)}]";
            if (spec.Steps[i].Read is { } read && read.Address() is { } address)
            {
                if (PullRules.Refused(new(address), hosts) is { } refused) problems.Add(new($"{at}.read.{(read.Hub is null ? "url" : "hub")}", refused));
                if (read.Key is { } key && await PullKeyFaultAsync(grains, spec.Agency, key, new(address)) is { } unfit) problems.Add(new($"{at}.read.key", unfit));
            }

            if (spec.Steps[i].Place is { } place)
            {
                var system = await grains.GetGrain<IAreaSystemGrain>(place.AreaSystem).PresentAsync(Caller.Hub);
                if (system is null) problems.Add(new($"{at}.place.areaSystem", NoSystem(place.AreaSystem)));
                else if (place.Level >= system.Levels)
                    problems.Add(new($"{at}.place.level", new($"„{system.Id}“ hat die Ebenen 0 bis {system.Levels - 1}.", $"“{system.Id}” has levels 0 to {system.Levels - 1}.")));
            }

            if (spec.Steps[i].Pseudonymise is { Drop: false } step && (await KeysAsync(grains, spec, step)).Keys is null)
            {
                problems.Add(new($"{at}.pseudonymise.purpose", new(
                    $"Für „{step.Purpose}“ hat „{spec.Agency}“ keinen Schlüssel; wer die Behörde verwaltet, legt ihn an (POST …/pseudonym-keys/{step.Purpose}/rotation).",
                    $"“{spec.Agency}” has no key for “{step.Purpose}”; whoever manages the agency makes one (POST …/pseudonym-keys/{step.Purpose}/rotation).")));
            }
        }

        return [.. problems];
    }

    /// <summary>As things stand now, or as an earlier run pinned them.</summary>
    /// <param name="earlier">The run that is repeated; null: none.</param>
    /// <returns>What is pinned, or why it cannot be.</returns>
    public static async Task<(RunPins? Pins, LocalText? Fault)> TakeAsync(IGrainFactory grains, JobSpec spec, string? earlier)
    {
        var before = earlier is null ? null : (await grains.GetGrain<IPipelineRunGrain>(earlier).GetAsync(Caller.Hub))?.Pinned;
        var keys = new List<PinnedKey>();
        foreach (var step in spec.Steps.Where(step => step.Pseudonymise is { Drop: false }))
        {
            var purpose = step.Pseudonymise!.Purpose;
            if ((await KeysAsync(grains, spec, step.Pseudonymise)).Keys is not { } known)
                return (null, new($"Schritt „{step.Id}“: Für „{purpose}“ gibt es keinen Schlüssel.", $"Step “{step.Id}”: There is no key for “{purpose}”."));
            var pinned = before is null ? new(step.Id, purpose, known.Versions.Length) : Array.Find(before.Keys ?? [], key => key.Step == step.Id && key.Purpose == purpose);
            if (pinned is null)
                return (null, new($"repeats: „{earlier}“ hat für den Schritt „{step.Id}“ keinen Schlüssel für „{purpose}“ festgelegt.", $"repeats: “{earlier}” has pinned no key for “{purpose}” for the step “{step.Id}”."));
            // After a restore of an older backup there may be fewer.
            if (known.Versions.ElementAtOrDefault(pinned.Version - 1) is not { Destroyed: null }) return (null, Destroyed(pinned));
            keys.Add(pinned);
        }

        var areas = new List<PinnedAreas>();
        foreach (var step in spec.Steps.Where(step => step.Place is not null))
        {
            var system = step.Place!.AreaSystem;
            if (before is null)
            {
                if (await grains.GetGrain<IAreaSystemGrain>(system).PresentAsync(Caller.Hub) is not { } present) return (null, NoSystem(system));
                areas.Add(new(step.Id, system, present.Version));
            }
            else if (Array.Find(before.Areas ?? [], one => one.Step == step.Id && one.System == system) is { } pinned) areas.Add(pinned);
            else return (null, new($"repeats: „{earlier}“ hat für den Schritt „{step.Id}“ keine Fassung von „{system}“ festgelegt.", $"repeats: “{earlier}” has pinned no version of “{system}” for the step “{step.Id}”."));
        }

        return (new([.. keys], [.. areas]), null);
    }

    public static LocalText Destroyed(PinnedKey pinned) => new(
        $"Schritt „{pinned.Step}“: Fassung {pinned.Version} des Schlüssels für „{pinned.Purpose}“ wurde vernichtet; mit ihr entstehen keine Pseudonyme mehr. Einen neuen Lauf starten, wenn es eine jüngere Fassung gibt; andere Pseudonyme hat er dann.",
        $"Step “{pinned.Step}”: Version {pinned.Version} of the key for “{pinned.Purpose}” was destroyed; no pseudonyms are made with it any more. Start a new run if there is a later version; its pseudonyms are others then.");

    private static async Task<LocalText?> PullKeyFaultAsync(IGrainFactory grains, string agency, string key, Uri url) =>
        (await grains.GetGrain<IPullKeyGrain>(PullKeys.Key(agency, key)).GetAsync(Caller.Hub)).Key is not { } known ? PullRules.NoKey(agency, key)
        : PullRules.Takes(known.Host, url) ? null
        : PullRules.NotFor(key, known.Host, url);

    private static LocalText NoSystem(string system) => new($"Ein Gebietssystem „{system}“ gibt es nicht.", $"There is no area system “{system}”.");

    private static Task<PseudonymKeysResult> KeysAsync(IGrainFactory grains, JobSpec spec, PseudonymiseStep step) =>
        grains.GetGrain<IPseudonymKeysGrain>(PseudonymPurposes.Key(spec.Agency, step.Purpose)).GetAsync(Caller.Hub);
}
