using System.Text;

namespace DataHub.Catalog;

/// <summary>What an area system may look like, and what putting one changes (design §5, "Areas").</summary>
internal static class AreaSystemRules
{
    /// <summary>Longest id of an area and longest name, in characters.</summary>
    public const int MaxIdLength = 64, MaxNameLength = 200;

    /// <summary>Decides on a whole new tree. A refusal changes nothing; a tree equal to what stands changes nothing either.</summary>
    /// <param name="current">What is stored.</param>
    /// <param name="system">Id of the system.</param>
    /// <param name="caller">Who puts it.</param>
    /// <param name="title">Null keeps what stands.</param>
    /// <param name="areas">In any order.</param>
    /// <param name="basedOn">The version the areas were made from, 0 for none; null where that does not matter.</param>
    /// <param name="limits">Validated options.</param>
    /// <param name="levelTitles">One per level at most, coarsest first; null keeps what stands.</param>
    /// <returns>The state after the call (the same object where nothing changed) and the answer.</returns>
    public static (AreaSystemState State, AreaSystemResult Result) Put(
        AreaSystemState current, string system, Caller caller, LocalText? title, IReadOnlyList<Area> areas, int? basedOn, AreaSystemOptions limits, LocalText[]? levelTitles = null)
    {
        var present = current.Present;
        if (!caller.IsPlatformAdmin)
            return Refused(AreaRefusal.Forbidden, new("Gebietssysteme ändert nur die Verwaltung der Plattform.", "Only administrators of the platform change area systems."));
        if (!CatalogIds.IsValid(system))
            return Refused(AreaRefusal.InvalidId, new($"„{system}“ ist keine Kennung eines Gebietssystems: {CatalogIds.Pattern}", $"“{system}” is not an id of an area system: {CatalogIds.Pattern}"));
        if (basedOn is not null && basedOn != (present?.Version ?? 0))
            return Refused(AreaRefusal.Outdated, new($"Die Gebiete wurden aus Fassung {basedOn} gemacht; es gilt Fassung {present?.Version ?? 0}.", $"The areas were made from version {basedOn}; version {present?.Version ?? 0} stands."));
        if (IsBadTitle(title) || (levelTitles is not null && Array.Exists(levelTitles, IsBadTitle)))
            return Refused(AreaRefusal.InvalidArea, new($"Ein Titel muss 1 bis {MaxNameLength} Zeichen haben.", $"A title must have 1 to {MaxNameLength} characters."));
        var (refusal, wrong) = Check(areas, limits);
        if (refusal != AreaRefusal.None) return Refused(refusal, wrong!);
        var levels = areas.Max(a => a.Level) + 1;
        if (levelTitles?.Length > levels)
            return Refused(AreaRefusal.WrongLevel, new($"{levelTitles.Length} Titel von Ebenen; es gibt {levels}.", $"{levelTitles.Length} titles of levels; there are {levels}."));

        var next = new AreaSystem(system, (present?.Version ?? 0) + 1, [.. areas.OrderBy(a => a.Id, StringComparer.Ordinal)]) { Title = title ?? present?.Title, LevelTitles = levelTitles ?? present?.LevelTitles };
        if (present is not null && next.Title == present.Title && (next.LevelTitles ?? []).AsSpan().SequenceEqual(present.LevelTitles ?? []) && SameAreas(next.Areas, present.Areas))
            return (current, new(AreaRefusal.None, present.Version, present.Areas.Length, null));
        return (new(Keep([.. current.Versions, next], limits)), new(AreaRefusal.None, next.Version, next.Areas.Length, null) { Changed = true });

        (AreaSystemState, AreaSystemResult) Refused(AreaRefusal reason, LocalText detail) =>
            (current, new(reason, present?.Version ?? 0, present?.Areas.Length ?? 0, detail));
    }

    private static bool IsBadTitle(LocalText? title) => title is { De.Length: 0 or > MaxNameLength } or { En.Length: > MaxNameLength };

    /// <summary>Whether the areas are a tree within the limits: ids once, parents there and exactly one level up.</summary>
    /// <returns><see cref="AreaRefusal.None"/>, or the first thing found wrong with the area it is wrong with.</returns>
    public static (AreaRefusal Refusal, LocalText? Detail) Check(IReadOnlyList<Area> areas, AreaSystemOptions limits)
    {
        if (areas.Count == 0)
            return (AreaRefusal.Empty, new("Ein Gebietssystem braucht mindestens ein Gebiet.", "An area system needs at least one area."));
        if (areas.Count > limits.MaxAreas)
            return (AreaRefusal.TooMany, new($"{areas.Count} Gebiete; erlaubt sind höchstens {limits.MaxAreas} (DataHub:AreaSystems:MaxAreas).", $"{areas.Count} areas; at most {limits.MaxAreas} are allowed (DataHub:AreaSystems:MaxAreas)."));

        var byId = new Dictionary<string, Area>(areas.Count, StringComparer.Ordinal);
        foreach (var area in areas)
        {
            if (!IsAreaId(area.Id))
                return (AreaRefusal.InvalidId, new($"Gebiet „{area.Id}“: eine Kennung hat 1 bis {MaxIdLength} Zeichen ohne Leer- und Steuerzeichen.", $"Area “{area.Id}”: an id has 1 to {MaxIdLength} characters without spaces and control characters."));
            if (!byId.TryAdd(area.Id, area))
                return (AreaRefusal.DuplicateId, new($"Gebiet „{area.Id}“ kommt mehrmals vor.", $"Area “{area.Id}” occurs more than once."));
            if (string.IsNullOrWhiteSpace(area.Name) || area.Name.Length > MaxNameLength)
                return (AreaRefusal.InvalidArea, new($"Gebiet „{area.Id}“: der Name muss 1 bis {MaxNameLength} Zeichen haben.", $"Area “{area.Id}”: the name must have 1 to {MaxNameLength} characters."));
            if (area.Population < 0)
                return (AreaRefusal.InvalidArea, new($"Gebiet „{area.Id}“: {area.Population} Einwohner; die Zahl darf nicht negativ sein.", $"Area “{area.Id}”: {area.Population} inhabitants; the number must not be negative."));
        }

        foreach (var area in areas)
        {
            if (area.Parent is null)
            {
                if (area.Level != 0)
                    return (AreaRefusal.WrongLevel, new($"Gebiet „{area.Id}“ auf Ebene {area.Level} hat kein übergeordnetes Gebiet; nur Ebene 0 hat keines.", $"Area “{area.Id}” at level {area.Level} has no parent; only level 0 has none."));
                continue;
            }

            if (!byId.TryGetValue(area.Parent, out var parent))
                return (AreaRefusal.UnknownParent, new($"Gebiet „{area.Id}“: das übergeordnete Gebiet „{area.Parent}“ fehlt.", $"Area “{area.Id}”: its parent “{area.Parent}” is missing."));
            if (area.Level != parent.Level + 1)
                return (AreaRefusal.WrongLevel, new($"Gebiet „{area.Id}“ auf Ebene {area.Level}: das übergeordnete „{parent.Id}“ ist auf Ebene {parent.Level}, also muss es Ebene {parent.Level + 1} sein.", $"Area “{area.Id}” at level {area.Level}: its parent “{parent.Id}” is at level {parent.Level}, so it must be level {parent.Level + 1}."));
        }

        var bytes = Bytes(areas);
        return bytes > limits.MaxBytes
            ? (AreaRefusal.TooMany, new($"{bytes} Bytes; erlaubt sind höchstens {limits.MaxBytes} (DataHub:AreaSystems:MaxBytes). Die Polygone vereinfachen.", $"{bytes} bytes; at most {limits.MaxBytes} are allowed (DataHub:AreaSystems:MaxBytes). Simplify the polygons."))
            : (AreaRefusal.None, null);
    }

    /// <summary>The datasets with one more, in ordinal order; the same object where it is there already.</summary>
    public static AreaDependents Attach(AreaDependents current, string dataset) =>
        current.Datasets.Contains(dataset) ? current : new([.. current.Datasets.Append(dataset).Order(StringComparer.Ordinal)]);

    private static bool IsAreaId(string? id) =>
        id is { Length: > 0 and <= MaxIdLength } && !id.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));

    private static AreaSystem[] Keep(AreaSystem[] versions, AreaSystemOptions limits)
    {
        var first = versions.Length - 1;
        var bytes = Bytes(versions[first].Areas);
        while (first > 0 && versions.Length - first < limits.KeptVersions)
        {
            bytes += Bytes(versions[first - 1].Areas);
            if (bytes > limits.KeptBytes) break;
            first--;
        }

        return versions[first..];
    }

    /// <summary>What areas take in storage, give or take a few bytes for each.</summary>
    private static long Bytes(IEnumerable<Area> areas) =>
        areas.Sum(a => 32L + a.Id.Length + (a.Parent?.Length ?? 0) + Encoding.UTF8.GetByteCount(a.Name) + (a.Geometry?.Length ?? 0));

    private static bool SameAreas(Area[] left, Area[] right)
    {
        if (left.Length != right.Length) return false;
        for (var i = 0; i < left.Length; i++)
        {
            if (left[i] with { Geometry = null } != right[i] with { Geometry = null }) return false;
            if (left[i].Geometry is null != right[i].Geometry is null || !left[i].Geometry.AsSpan().SequenceEqual(right[i].Geometry)) return false;
        }

        return true;
    }
}
