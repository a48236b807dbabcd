using DataHub.Feeds;
using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>Which share of each old area went to which new one.</summary>
internal sealed class Crosswalk
{
    private readonly Dictionary<string, List<(string To, double Share)>> _byOld = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<(string From, double Share)>> _byNew = new(StringComparer.Ordinal);

    private Crosswalk(long day) => Day = day;

    /// <summary>First day of the new areas, in days since 0001-01-01.</summary>
    public long Day { get; }

    public IReadOnlyList<(string To, double Share)>? SharesOf(string oldArea) => _byOld.GetValueOrDefault(oldArea);

    public IReadOnlyList<(string From, double Share)>? PartsOf(string newArea) => _byNew.GetValueOrDefault(newArea);

    /// <returns>Null where the table does not fit; the problems say why.</returns>
    public static Crosswalk? Read(AreaReform reform, RecipeTable? table, ColumnKind? kind, RecipeProblems problems)
    {
        if (table is null)
        {
            problems.Add("reform", RecipeCodes.MissingMember, "Zur Umschlüsselung fehlt die Tabelle.", "The table of the crosswalk is missing.");
            return null;
        }

        var input = new RecipeInput(table, problems);
        var (from, to) = (input.Key(reform.OldArea, "reform.oldArea"), input.Key(reform.NewArea, "reform.newArea"));
        var shares = input.Numbers(reform.Share, "reform.share", negative: false);
        if (!input.FitsLimit("reform") || from is null || to is null || shares is null) return null;
        if (from.Kind != kind || to.Kind != kind)
        {
            problems.Add("reform", RecipeCodes.ColumnType, "Die Flächen der Umschlüsselung haben einen anderen Typ als die der Zahlen.", "The crosswalk's areas are of another type than those of the counts.");
            return null;
        }

        var crosswalk = new Crosswalk(reform.On.DayNumber);
        foreach (var row in KeyOrder.Of(input.Count, from, to)) crosswalk.Add(from, to, shares[row], row, problems);
        if (!problems.Any) crosswalk.CheckSums(problems);
        return problems.Any ? null : crosswalk;
    }

    private void Add(Column from, Column to, double share, int row, RecipeProblems problems)
    {
        if (from.IsNull(row) || to.IsNull(row)) problems.Add("reform", RecipeCodes.MissingKey, "In der Umschlüsselung fehlt eine Fläche.", "An area is missing in the crosswalk.");
        else if (!(share is > 0 and <= 1)) problems.Add("reform.share", RecipeCodes.InvalidNumber, "Ein Anteil ist größer als 0 und höchstens 1.", "A share is above 0 and at most 1.");
        else
        {
            var (old, now) = (KeyOrder.Text(from, row), KeyOrder.Text(to, row));
            if (!_byOld.TryGetValue(old, out var shares)) _byOld[old] = shares = [];
            if (shares.Count > 0 && shares[^1].To == now) problems.Add("reform", RecipeCodes.DuplicateKey, $"„{old}“ geht zweimal an „{now}“.", $"\"{old}\" goes to \"{now}\" twice.");
            shares.Add((now, share));
            if (!_byNew.TryGetValue(now, out var parts)) _byNew[now] = parts = [];
            parts.Add((old, share));
        }
    }

    private void CheckSums(RecipeProblems problems)
    {
        foreach (var (old, shares) in _byOld)
        {
            var sum = new ExactSum();
            foreach (var (_, share) in shares) sum.Add(share);
            if (Math.Abs(sum.Round() - 1) > RecipeLimits.ShareTolerance)
                problems.Add("reform.share", RecipeCodes.SharesNotOne, FormattableString.Invariant($"Die Anteile von „{old}“ ergeben {sum.Round():R} statt 1."), FormattableString.Invariant($"The shares of \"{old}\" sum to {sum.Round():R} instead of 1."));
        }
    }
}
