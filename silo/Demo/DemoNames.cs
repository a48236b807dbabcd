namespace DataHub.Demo;

/// <summary>Invented German names, each given once.</summary>
/// <param name="random">Chooses.</param>
internal sealed class DemoNames(DemoRandom random)
{
    private static readonly string[] s_stems =
    [
        "Ahorn", "Amsel", "Apfel", "Bach", "Bernstein", "Biber", "Birken", "Brombeer", "Brunnen", "Dachs", "Distel", "Eichel", "Eisvogel", "Erlen", "Eschen",
        "Farn", "Feder", "Fichten", "Finken", "Flachs", "Garten", "Ginster", "Glas", "Glocken", "Hafer", "Hasel", "Hecht", "Heide", "Holunder", "Honig",
        "Hopfen", "Igel", "Kamillen", "Kessel", "Kiebitz", "Kirsch", "Klee", "Korn", "Kranich", "Kupfer", "Lerchen", "Luchs", "Malven", "Minze", "Mohn",
        "Mühlen", "Nebel", "Otter", "Quitten", "Reiher", "Salz", "Schilf", "Schwalben", "Seerosen", "Seiden", "Silber", "Sonnen", "Specht", "Sperber", "Star",
        "Tauben", "Thymian", "Tuch", "Ulmen", "Veilchen", "Wacholder", "Walnuss", "Weber", "Weiden", "Wein", "Wiesen", "Zander", "Zedern", "Ziegel", "Zinn",
    ];

    private static readonly string[] s_places = ["au", "berg", "brück", "feld", "furt", "grund", "hagen", "hain", "heim", "hof", "horst", "ried", "rode", "stein", "tal", "werder"];

    private static readonly string[] s_quarters = ["allee", "anger", "damm", "garten", "höfe", "hang", "kamp", "kiez", "park", "pfad", "platz", "siedlung", "steg", "straße", "ufer", "weg", "winkel"];

    private readonly Queue<string> _places = new(random.Shuffled(s_stems.SelectMany(stem => s_places.Select(end => Joined(stem, end)))));
    private readonly Queue<string> _quarters = new(random.Shuffled(s_stems.SelectMany(stem => s_quarters.Select(end => Joined(stem, end)))));

    /// <summary>A name for a district or a part of the city.</summary>
    public string Place() => _places.Dequeue();

    /// <summary>A name for a small area, as of a street or a square.</summary>
    public string Quarter() => _quarters.Dequeue();

    private static string Joined(string stem, string end) => stem + end;
}
